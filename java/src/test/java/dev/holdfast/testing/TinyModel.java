package dev.holdfast.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.exporter.Exporter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A Hugging Face folder of a golden model with a tokenizer of whole words, and rows for it: jobs on them take a second. */
public final class TinyModel {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String END = "<eos>";
    private static final String UNKNOWN = "<unk>";
    private static final int SEED = 7;

    private TinyModel() {}

    /** Writes the folder of a family, such as {@code llama}, with as many words as the model has tokens. */
    public static Path folder(String family, Path target) {
        Path golden = Path.of("onnx-artifacts/golden", family);
        try {
            Files.createDirectories(target);
            for (String name : new String[] {"config.json", "model.safetensors"}) {
                Files.copy(golden.resolve(name), target.resolve(name));
            }
            int vocabularySize = JSON.readTree(golden.resolve("config.json").toFile()).get("vocab_size").asInt();
            writeTokenizer(target, vocabularySize);
            return target;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes a tokenizer of the words w0, w1 … and two special tokens. */
    public static void writeTokenizer(Path folder, int vocabularySize) throws IOException {
        int end = vocabularySize - 2;
        ObjectNode tokenizer = JSON.createObjectNode().put("version", "1.0");
        tokenizer.putNull("truncation").putNull("padding");
        tokenizer.putArray("added_tokens")
                .addObject()
                .put("id", end)
                .put("content", END)
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", false)
                .put("special", true);
        tokenizer.putNull("normalizer").putNull("post_processor").putNull("decoder");
        tokenizer.putObject("pre_tokenizer").put("type", "WhitespaceSplit");
        ObjectNode model = tokenizer.putObject("model").put("type", "WordLevel").put("unk_token", UNKNOWN);
        ObjectNode words = model.putObject("vocab");
        IntStream.range(0, end).forEach(id -> words.put("w" + id, id));
        words.put(END, end).put(UNKNOWN, end + 1);
        JSON.writeValue(folder.resolve("tokenizer.json").toFile(), tokenizer);
        ObjectNode settings = JSON.createObjectNode().put("eos_token", END).put("tokenizer_class", "PreTrainedTokenizerFast");
        JSON.writeValue(folder.resolve("tokenizer_config.json").toFile(), settings);
    }

    /** Exports the folder of a family, made beside the artifact. */
    public static ArtifactDirectory artifact(String family, Path target) {
        Path source = folder(family, target.resolveSibling(target.getFileName() + "-source"));
        return Exporter.of(source).export(target);
    }

    /** Writes rows of various lengths whose responses are the prompt's words plus one. */
    public static Path rows(Path file, int count) {
        Random random = new Random(SEED);
        try {
            Files.write(file, IntStream.range(0, count).mapToObj(row -> row(random)).toList());
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String row(Random random) {
        int[] words = random.ints(2 + random.nextInt(8), 0, 90).toArray();
        String completion = IntStream.of(words).mapToObj(word -> " w" + (word + 1)).collect(Collectors.joining());
        String prompt = IntStream.of(words).mapToObj(word -> "w" + word).collect(Collectors.joining(" "));
        return JSON.createObjectNode().put("prompt", prompt).put("completion", completion).toString();
    }
}
