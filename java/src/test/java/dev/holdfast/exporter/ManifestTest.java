package dev.holdfast.exporter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.testing.TinyModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A manifest that is not as it was written. */
class ManifestTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    private Path artifact;
    private Path manifest;

    @BeforeEach
    void export() {
        artifact = TinyModel.export("llama", folder.resolve("artifact")).path();
        manifest = artifact.resolve("manifest.json");
    }

    private void edit(Consumer<ObjectNode> change) throws IOException {
        ObjectNode content = (ObjectNode) JSON.readTree(manifest.toFile());
        change.accept(content);
        JSON.writeValue(manifest.toFile(), content);
    }

    @Test
    void anyChangeIsToldByItsOwnDigest() throws IOException {
        edit(content -> {});
        assertThatCode(() -> ArtifactDirectory.open(artifact)).doesNotThrowAnyException();
        edit(content -> content.withObject("model").put("maximum_positions", 20));
        assertThatThrownBy(() -> ModelFolder.open(artifact))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith(manifest + ": corrupt: expected content of SHA-256 ");
    }

    @ParameterizedTest
    @CsvSource({"maximum_positions, 20, 64", "vocabulary_size, 97, 96", "layer_count, 3, 2"})
    void aManifestWithoutADigestIsHeldAgainstTheConfiguration(String key, int got, int expected) throws IOException {
        edit(content -> {
            content.remove("digest");
            content.withObject("model").put(key, got);
        });
        assertThatThrownBy(() -> ArtifactDirectory.open(artifact))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(manifest + ": corrupt: expected model." + key + " " + expected + " as in config.json, got "
                        + got + "; export it again or copy it whole");
    }

    @Test
    void aManifestWithoutADigestIsHeldAgainstTheCheckpoint() throws IOException {
        edit(content -> content.remove("digest"));
        assertThat(ArtifactDirectory.open(artifact).manifest().digest()).isNull();
        edit(content -> ((ObjectNode) content.withArray("parameters").get(0)).put("trainable", false));
        assertThatThrownBy(() -> ArtifactDirectory.open(artifact))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining(manifest + ": corrupt: expected the parameters of the checkpoint");
    }
}
