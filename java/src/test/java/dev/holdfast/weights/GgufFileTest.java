package dev.holdfast.weights;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.tensor.HostTensor;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class GgufFileTest {
    @Test
    void theRealModelOpensAndEveryValueIsFinite() {
        Path path = SharedData.smolLm2();
        Assumptions.assumeTrue(Files.exists(path), "skipped: " + path + " is absent (set HOLDFAST_SHARED)");
        try (GgufFile file = GgufFile.open(path)) {
            assertThat(file.metadata()).containsEntry("general.architecture", "llama").containsEntry("llama.block_count", 30L);
            assertThat((List<?>) file.metadata().get("tokenizer.ggml.tokens")).hasSize(49_152);
            assertThat(file.names()).hasSize(272);
            file.names().forEach(name -> assertFinite(name, file.readFloat(name)));
        }
    }

    private static void assertFinite(String name, HostTensor tensor) {
        FloatBuffer values = tensor.floats();
        while (values.hasRemaining()) {
            float value = values.get();
            if (!Float.isFinite(value)) {
                throw new AssertionError(name + " holds " + value);
            }
        }
    }
}
