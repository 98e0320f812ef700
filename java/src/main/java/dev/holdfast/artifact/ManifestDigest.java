package dev.holdfast.artifact;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.files.FileDigest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/**
 * The digest that a manifest has of itself: SHA-256 of its JSON without the field {@code digest}, in UTF-8, with the keys of every object
 * in order and nothing between the tokens. In Python: {@code json.dumps(manifest, sort_keys=True, separators=(",", ":"),
 * ensure_ascii=False)}.
 */
final class ManifestDigest {
    private static final String FIELD = "digest";
    private static final ObjectMapper SORTED =
            new ObjectMapper().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);

    private ManifestDigest() {}

    /** The digest of a manifest that has none yet, or whose own is left out. */
    static String of(Manifest manifest) {
        return of((ObjectNode) SORTED.valueToTree(manifest));
    }

    /**
     * Makes sure that a manifest is as it was written; one without a digest is taken as it is.
     *
     * @throws MalformedFileException if it is not
     */
    static void verify(Path file) {
        JsonNode manifest = JsonFiles.read(file, JsonNode.class);
        String expected = manifest.path(FIELD).asText(null);
        if (expected == null) {
            return;
        }
        String got = of((ObjectNode) manifest);
        if (!got.equals(expected)) {
            throw MalformedFileException.of(
                    file,
                    "corrupt: expected content of SHA-256 " + expected + ", got " + got + "; "
                            + ArtifactDirectory.HINT);
        }
    }

    private static String of(ObjectNode manifest) {
        try {
            Map<?, ?> fields = SORTED.treeToValue(manifest.deepCopy().without(FIELD), Map.class);
            return FileDigest.of(SORTED.writeValueAsString(fields).getBytes(StandardCharsets.UTF_8))
                    .sha256();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a JSON tree can always be written", e);
        }
    }
}
