package dev.holdfast.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.StreamSupport;

/** Reads what the scripts in tools/reference wrote, and finds the rows that the project carries. */
final class Golden {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private Golden() {}

    static JsonNode read(String name) {
        try (InputStream stream = Golden.class.getResourceAsStream("/golden/data/" + name)) {
            return MAPPER.readTree(stream);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static int[] ints(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false)
                .mapToInt(JsonNode::intValue)
                .toArray();
    }

    /** Metadata as a GGUF reader gives it, with some keys changed. */
    static Map<String, Object> metadata(String golden, Map<String, Object> changes) {
        @SuppressWarnings("unchecked")
        Map<String, Object> metadata = MAPPER.convertValue(read(golden).path("metadata"), Map.class);
        metadata.putAll(changes);
        return metadata;
    }

    /** A small byte-level tokenizer with a chat template, written into a folder. */
    static Tokenizer chatTokenizer(Path folder) {
        GgufTokenizer.write(
                metadata(
                        "byte-level-tokenizer.json",
                        Map.of(
                                "tokenizer.ggml.pre",
                                "smollm",
                                "tokenizer.chat_template",
                                read("templates.json")
                                        .path("templates")
                                        .path("chatml")
                                        .textValue())),
                folder);
        return Tokenizer.load(folder);
    }

    /** The same with other settings: a JSON object merged over {@code tokenizer_config.json}. */
    static Tokenizer tokenizerWith(Path folder, ObjectNode settings) throws IOException {
        chatTokenizer(folder).close();
        ObjectNode all = (ObjectNode)
                MAPPER.readTree(folder.resolve("tokenizer_config.json").toFile());
        all.setAll(settings);
        MAPPER.writeValue(folder.resolve("tokenizer_config.json").toFile(), all);
        return Tokenizer.load(folder);
    }

    /** The held-out rows of iGSM that the project carries. */
    static Path igsm() {
        return Path.of("onnx-artifacts/igsm/test.jsonl");
    }
}
