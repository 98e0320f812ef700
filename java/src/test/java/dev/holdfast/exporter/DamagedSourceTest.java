package dev.holdfast.exporter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.error.HoldfastException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.testing.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A Hugging Face folder with a file that is damaged or says too little. */
class DamagedSourceTest {
    @TempDir
    Path folder;

    private Path source;
    private Path target;

    @BeforeEach
    void writeModel() {
        source = TinyModel.source("llama", folder.resolve("source"));
        target = folder.resolve("artifact");
    }

    private void editConfig(Consumer<ObjectNode> change) throws IOException {
        ObjectMapper json = new ObjectMapper();
        Path file = source.resolve("config.json");
        ObjectNode config = (ObjectNode) json.readTree(file.toFile());
        change.accept(config);
        json.writeValue(file.toFile(), config);
    }

    @ParameterizedTest
    @ValueSource(strings = {"tokenizer.json", "tokenizer_config.json"})
    void aDamagedTokenizerIsNamedWhereItLiesAndInOurWords(String name) throws IOException {
        Path file = Files.writeString(source.resolve(name), "{\n  \"version\": x}");
        assertThatThrownBy(() -> Exporter.of(source).export(target))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageMatching(file + ": not JSON: line 2, column \\d+");
        assertThat(target).doesNotExist();
    }

    @Test
    void aKeyThatIsMissingOrUnknownIsToldWithThePathOfTheFile() throws IOException {
        editConfig(config -> config.put("hidden_act", "relu"));
        assertThatThrownBy(() -> Exporter.of(source).export(target))
                .isInstanceOf(HoldfastException.class)
                .hasMessage(source.resolve("config.json") + ": hidden_act: expected silu, got relu");
        editConfig(config ->
                config.put("hidden_act", "silu").putObject("rope_scaling").put("rope_type", "yarn"));
        assertThatThrownBy(() -> Exporter.of(source).export(target))
                .isInstanceOf(HoldfastException.class)
                .hasMessageStartingWith(source.resolve("config.json") + ": rope_scaling: expected default");
        editConfig(config -> config.remove("num_attention_heads"));
        assertThatThrownBy(() -> Exporter.of(source).export(target))
                .isInstanceOf(HoldfastException.class)
                .hasMessage(source.resolve("config.json")
                        + ": num_attention_heads: expected a positive integer, got nothing");
    }

    @Test
    void theTypeOfAModelStandsForItsArchitecture() throws IOException {
        editConfig(config -> config.put("model_type", "llama").remove("architectures"));
        assertThat(Exporter.of(source).export(target).manifest().model().family())
                .isEqualTo("llama");
    }
}
