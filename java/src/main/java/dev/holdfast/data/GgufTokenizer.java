package dev.holdfast.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * Rebuilds the tokenizer files of a Hugging Face folder from the metadata of a GGUF file.
 *
 * <p>Byte-level tokenizers ({@code gpt2}) keep their merges; SentencePiece tokenizers ({@code llama}) get merges from their scores and
 * fall back to bytes.
 */
public final class GgufTokenizer {
    private final GgufTokenizerMetadata metadata;
    private final GgufVocabulary vocabulary;

    private GgufTokenizer(GgufTokenizerMetadata metadata) {
        this.metadata = metadata;
        this.vocabulary = GgufVocabulary.of(metadata);
    }

    /**
     * Writes {@code tokenizer.json}, {@code tokenizer_config.json} (with the chat template) and {@code generation_config.json} (with the
     * ids that end a generation).
     *
     * @param metadata the file's metadata: texts, whole numbers, reals, booleans and lists of these by key
     * @param directory where to write; created if need be
     * @throws UnsupportedModelException if the kind of tokenizer or its pre-tokenizer is not supported
     * @throws InvalidInputException if the metadata is incomplete or contradicts itself
     * @throws FileAccessException if a file cannot be written
     */
    public static void write(Map<String, Object> metadata, Path directory) {
        GgufTokenizer tokenizer = new GgufTokenizer(new GgufTokenizerMetadata(metadata));
        ObjectNode json = tokenizer.tokenizer();
        try {
            Files.createDirectories(directory);
            write(directory.resolve("tokenizer.json"), json);
            write(directory.resolve("tokenizer_config.json"), tokenizer.settings());
            write(directory.resolve("generation_config.json"), tokenizer.generation());
        } catch (IOException e) {
            throw FileAccessException.writing(directory, e);
        }
    }

    private static void write(Path file, JsonNode json) throws IOException {
        TextFiles.MAPPER.writerWithDefaultPrettyPrinter().writeValue(file.toFile(), json);
    }

    private ObjectNode tokenizer() {
        String kind = metadata.text("model");
        return switch (kind) {
            case "gpt2" -> byteLevel(PreTokenizers.named(metadata.optionalText("tokenizer.ggml.pre")));
            case "llama" -> sentencePiece();
            default -> throw new UnsupportedModelException("tokenizer.ggml.model: expected gpt2 or llama, got " + kind
                    + "; export from the model's Hugging Face folder instead");
        };
    }

    private ObjectNode byteLevel(PreTokenizers.Cut cut) {
        ObjectNode json = frame();
        json.putNull("normalizer");
        json.set("pre_tokenizer", PreTokenizers.toJson(cut));
        json.set("post_processor", postProcessor(cut.addsBos()));
        json.set("decoder", byteLevelStep());
        ObjectNode model = json.putObject("model").put("type", "BPE");
        model.putNull("unk_token");
        model.put("fuse_unk", false).put("byte_fallback", false).put("ignore_merges", cut.wholeWords());
        model.set("vocab", vocabulary.toJson());
        model.set("merges", givenMerges());
        return json;
    }

    private ArrayNode givenMerges() {
        ArrayNode merges = TextFiles.MAPPER.createArrayNode();
        for (String merge : metadata.texts("merges")) {
            int space = merge.indexOf(' ', 1);
            if (space < 0 || space == merge.length() - 1) {
                throw new InvalidInputException("tokenizer.ggml.merges[" + merges.size()
                        + "]: expected two tokens with a space between, got \"" + merge + "\"");
            }
            merges.addArray().add(merge.substring(0, space)).add(merge.substring(space + 1));
        }
        return merges;
    }

    private ObjectNode sentencePiece() {
        boolean spaceInFront = metadata.flag("add_space_prefix").orElse(true);
        ObjectNode json = frame();
        ObjectNode normalizer = json.putObject("normalizer").put("type", "Sequence");
        ArrayNode steps = normalizer.putArray("normalizers");
        if (spaceInFront) {
            steps.addObject().put("type", "Prepend").put("prepend", "▁");
        }
        addReplace(steps, " ", "▁");
        json.putNull("pre_tokenizer");
        json.set("post_processor", postProcessor(true));
        json.set("decoder", sentencePieceDecoder(spaceInFront));
        ObjectNode model = json.putObject("model").put("type", "BPE");
        model.put(
                "unk_token",
                metadata.tokenId("unknown_token_id", vocabulary.size())
                        .map(vocabulary.tokens()::get)
                        .orElse(null));
        model.put("fuse_unk", true).put("byte_fallback", true).put("ignore_merges", false);
        model.set("vocab", vocabulary.toJson());
        model.set("merges", new ScoredMerges(vocabulary).toJson(metadata.numbers("scores")));
        return json;
    }

    private static ObjectNode sentencePieceDecoder(boolean spaceInFront) {
        ObjectNode decoder = TextFiles.MAPPER.createObjectNode().put("type", "Sequence");
        ArrayNode steps = decoder.putArray("decoders");
        addReplace(steps, "▁", " ");
        steps.addObject().put("type", "ByteFallback");
        steps.addObject().put("type", "Fuse");
        if (spaceInFront) {
            steps.addObject()
                    .put("type", "Strip")
                    .put("content", " ")
                    .put("start", 1)
                    .put("stop", 0);
        }
        return decoder;
    }

    private static void addReplace(ArrayNode steps, String text, String replacement) {
        ObjectNode replace = steps.addObject().put("type", "Replace");
        replace.putObject("pattern").put("String", text);
        replace.put("content", replacement);
    }

    private ObjectNode frame() {
        ObjectNode json = TextFiles.MAPPER.createObjectNode().put("version", "1.0");
        json.putNull("truncation");
        json.putNull("padding");
        json.set("added_tokens", vocabulary.addedTokens());
        return json;
    }

    private static ObjectNode byteLevelStep() {
        return TextFiles.MAPPER
                .createObjectNode()
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", true);
    }

    /** Puts the beginning of sequence in front and the end behind, where the file or the kind of tokenizer asks for them. */
    private ObjectNode postProcessor(boolean bosUnlessSaidOtherwise) {
        Optional<String> bos = token("bos_token_id")
                .filter(token -> metadata.flag("add_bos_token").orElse(bosUnlessSaidOtherwise));
        Optional<String> eos = token("eos_token_id")
                .filter(token -> metadata.flag("add_eos_token").orElse(false));
        if (bos.isEmpty() && eos.isEmpty()) {
            return byteLevelStep();
        }
        ObjectNode template = TextFiles.MAPPER.createObjectNode().put("type", "TemplateProcessing");
        addSequence(template.putArray("single"), "A", 0, bos, eos);
        addSequence(addSequence(template.putArray("pair"), "A", 0, bos, eos), "B", 1, bos, eos);
        ObjectNode special = template.putObject("special_tokens");
        bos.ifPresent(token -> describe(special, token));
        eos.ifPresent(token -> describe(special, token));
        return template;
    }

    private static ArrayNode addSequence(
            ArrayNode steps, String name, int type, Optional<String> bos, Optional<String> eos) {
        bos.ifPresent(token ->
                steps.addObject().putObject("SpecialToken").put("id", token).put("type_id", type));
        steps.addObject().putObject("Sequence").put("id", name).put("type_id", type);
        eos.ifPresent(token ->
                steps.addObject().putObject("SpecialToken").put("id", token).put("type_id", type));
        return steps;
    }

    private void describe(ObjectNode special, String token) {
        ObjectNode description = special.putObject(token).put("id", token);
        description.putArray("ids").add(vocabulary.tokens().indexOf(token));
        description.putArray("tokens").add(token);
    }

    private Optional<String> token(String name) {
        return metadata.tokenId(name, vocabulary.size()).map(vocabulary.tokens()::get);
    }

    private ObjectNode settings() {
        ObjectNode settings = TextFiles.MAPPER.createObjectNode();
        settings.put("tokenizer_class", "PreTrainedTokenizerFast").put("clean_up_tokenization_spaces", false);
        token("bos_token_id").ifPresent(token -> settings.put("bos_token", token));
        token("eos_token_id").ifPresent(token -> settings.put("eos_token", token));
        token("padding_token_id").ifPresent(token -> settings.put("pad_token", token));
        token("unknown_token_id").ifPresent(token -> settings.put("unk_token", token));
        metadata.optionalText("tokenizer.chat_template").ifPresent(template -> settings.put("chat_template", template));
        return settings;
    }

    private ObjectNode generation() {
        ObjectNode generation = TextFiles.MAPPER.createObjectNode();
        metadata.tokenId("bos_token_id", vocabulary.size()).ifPresent(id -> generation.put("bos_token_id", id));
        ArrayNode stops = TextFiles.MAPPER.createArrayNode();
        metadata.tokenId("eos_token_id", vocabulary.size()).ifPresent(stops::add);
        metadata.tokenId("eot_token_id", vocabulary.size())
                .filter(id -> stops.isEmpty() || stops.get(0).intValue() != id)
                .ifPresent(stops::add);
        if (!stops.isEmpty()) {
            generation.set("eos_token_id", stops);
        }
        metadata.tokenId("padding_token_id", vocabulary.size()).ifPresent(id -> generation.put("pad_token_id", id));
        return generation;
    }
}
