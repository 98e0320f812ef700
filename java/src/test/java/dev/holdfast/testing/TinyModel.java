package dev.holdfast.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.exporter.Exporter;
import dev.holdfast.exporter.Packager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A golden model of 96 tokens with a tokenizer whose tokens are words: token n is {@code wn}, but for {@code <pad>}, {@code <s>} and
 * {@code </s>}, which are 0, 1 and 2.
 */
public final class TinyModel {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int VOCABULARY = 96;
    private static final int ROWS_SEED = 7;

    private final Path golden;
    private final Path artifact;
    private final Path packaged;

    /** Exports and packages the golden model of a family into a folder. */
    public TinyModel(String family, Path directory) {
        this.golden = Path.of("onnx-artifacts/golden", family);
        this.artifact = directory.resolve("artifact");
        this.packaged = directory.resolve("model");
        Exporter.of(source(family, directory.resolve("source"))).export(artifact);
        Packager.of(artifact).packageTo(packaged);
    }

    /** Writes the golden model of a family as a Hugging Face folder. */
    public static Path source(String family, Path folder) {
        Path golden = Path.of("onnx-artifacts/golden", family);
        try {
            Files.createDirectories(folder);
            Files.copy(golden.resolve("config.json"), folder.resolve("config.json"));
            Files.copy(golden.resolve("model.safetensors"), folder.resolve("model.safetensors"));
            writeTokenizer(folder);
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Exports the golden model of a family, written beside the artifact. */
    public static ArtifactDirectory export(String family, Path target) {
        return Exporter.of(source(family, target.resolveSibling(target.getFileName() + "-source")))
                .export(target);
    }

    /** Writes rows of prompt and completion, of various lengths, whose completions are the words that follow the prompt's. */
    public static Path rows(Path file, int count) {
        Random random = new Random(ROWS_SEED);
        try {
            return Files.write(
                    file, IntStream.range(0, count).mapToObj(row -> row(random)).toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String row(Random random) {
        int[] ids = random.ints(2 + random.nextInt(8), 3, VOCABULARY - 1).toArray();
        String completion = " " + text(IntStream.of(ids).map(id -> id + 1).toArray());
        return JSON.createObjectNode()
                .put("prompt", text(ids))
                .put("completion", completion)
                .toString();
    }

    private static void writeTokenizer(Path folder) throws IOException {
        ObjectNode tokenizer = JSON.createObjectNode().put("version", "1.0");
        for (int id = 0; id < 3; id++) {
            tokenizer
                    .withArray("added_tokens")
                    .addObject()
                    .put("id", id)
                    .put("content", word(id))
                    .put("special", true)
                    .put("single_word", false)
                    .put("lstrip", false)
                    .put("rstrip", false)
                    .put("normalized", false);
        }
        tokenizer.putObject("pre_tokenizer").put("type", "WhitespaceSplit");
        ObjectNode model = tokenizer.putObject("model").put("type", "WordLevel").put("unk_token", word(0));
        ObjectNode vocabulary = model.putObject("vocab");
        for (int id = 0; id < VOCABULARY; id++) {
            vocabulary.put(word(id), id);
        }
        JSON.writeValue(folder.resolve("tokenizer.json").toFile(), tokenizer);
        Map<String, String> settings = Map.of(
                "bos_token",
                word(1),
                "eos_token",
                word(2),
                "pad_token",
                word(0),
                "chat_template",
                "{% for message in messages %}{{ 'w3 ' + message['content'] + ' </s> ' }}{% endfor %}{% if add_generation_prompt %}w4{% endif %}");
        JSON.writeValue(folder.resolve("tokenizer_config.json").toFile(), settings);
    }

    private static String word(int id) {
        return switch (id) {
            case 0 -> "<pad>";
            case 1 -> "<s>";
            case 2 -> "</s>";
            default -> "w" + id;
        };
    }

    /** The text of token ids. */
    public static String text(int... ids) {
        return Arrays.stream(ids).mapToObj(TinyModel::word).collect(Collectors.joining(" "));
    }

    /** What PyTorch makes of the model. */
    public GoldenTensors tensors() {
        return GoldenTensors.read(golden.resolve("golden.safetensors"));
    }

    /** The artifact. */
    public Path artifact() {
        return artifact;
    }

    /** The packaged model. */
    public Path packaged() {
        return packaged;
    }
}
