package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.config.ConfigReader;
import dev.holdfast.config.Job;
import dev.holdfast.config.TooLongRows;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.EncodedExamples;
import dev.holdfast.data.EncodingOptions;
import dev.holdfast.data.Example;
import dev.holdfast.data.ExampleEncoder;
import dev.holdfast.data.Examples;
import dev.holdfast.data.Row;
import dev.holdfast.data.Tokenizer;
import dev.holdfast.tensor.Shape;
import dev.holdfast.weights.ModelSource;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The model, the rows and the settings that the project carries for its demonstration. */
class DemoFilesTest {
    private static final Path DEMO = Path.of("onnx-artifacts/demo");
    private static final Path MODEL = DEMO.resolve("model");

    @Test
    void theModelOpens() {
        try (ModelSource source = ModelSource.open(MODEL)) {
            var embedding = source.weights().info("model.embed_tokens.weight");

            assertThat(source.config().path("model_type").asText()).isEqualTo("llama");
            assertThat(embedding.shape()).isEqualTo(Shape.of(512, 128));
            assertThat(embedding.format()).isEqualTo("BF16");
            assertThat(source.weights().names()).hasSize(1 + 3 * 9 + 1);
        }
    }

    @ParameterizedTest
    @CsvSource({"train, 320", "eval, 40", "retention, 40"})
    void everyRowFitsAndComesBackAsItsText(String name, int rows) {
        int maxLength = settings().maxLength();
        try (Tokenizer tokenizer = Tokenizer.load(MODEL)) {
            Examples examples = Examples.jsonLines(DEMO.resolve(name + ".jsonl"));
            ExampleEncoder encoder = new ExampleEncoder(
                    tokenizer, new EncodingOptions(maxLength, TooLongRows.DROP, true, tokenizer.vocabularySize()));
            AtomicInteger seen = new AtomicInteger();
            examples.forEach(row -> {
                assertComesBack(tokenizer, row);
                seen.incrementAndGet();
            });
            EncodedExamples encoded = encoder.encodeAll(examples);

            assertThat(seen).hasValue(rows);
            assertThat(encoded.examples()).hasSize(rows);
        }
    }

    private static void assertComesBack(Tokenizer tokenizer, Row row) {
        Example.PromptCompletion pair = (Example.PromptCompletion) row.example();
        String text = pair.prompt() + pair.completion();

        assertThat(tokenizer.decode(tokenizer.encode(text, false), false)).isEqualTo(text);
    }

    @Test
    void theSettingsAreThoseOfAFineTuningJob() {
        TrainingConfig settings = settings();

        assertThat(settings.learningRate()).isEqualTo(1e-3);
        assertThat(settings.alpha()).isEqualTo(0.5);
    }

    private static TrainingConfig settings() {
        return ConfigReader.of(Job.FINETUNE)
                .file(DEMO.resolve("demo.yaml"))
                .flag("artifact", "artifact")
                .flag("data.train", "train.jsonl")
                .flag("out", "run")
                .read();
    }
}
