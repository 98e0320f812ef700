package dev.holdfast.exporter;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.artifact.JsonFiles;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.artifact.RunFolder;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.model.Decoder;
import dev.holdfast.model.ModelConfig;
import dev.holdfast.weights.LoraConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** The README of a deployable folder: what the model is, what it was made from, and how to load it. */
final class ModelCard {
    private static final String USE =
            """
            ## Use

            The folder needs nothing of Holdfast; `sha256sum --check SHA256SUMS` tells whether it arrived whole. In Java, with plain ONNX Runtime:

            ```java
            OrtEnvironment environment = OrtEnvironment.getEnvironment();
            try (OrtSession session = environment.createSession("model.onnx", new OrtSession.SessionOptions())) {
                // input_ids INT64[B, T], attention_mask INT64[B, P + T], position_ids INT64[B, T],
                // past_key_values.N.key and .value FLOAT[B, %d, P, %d] for each of the %d layers, P = 0 at first
                OrtSession.Result result = session.run(inputs);
                // logits FLOAT[B, T, %d]; present.N.key and .value are the past of the next call
            }
            ```

            In Python, with onnxruntime-genai:

            ```python
            import onnxruntime_genai as og

            model = og.Model("model")  # this folder
            tokenizer = og.Tokenizer(model)
            generator = og.Generator(model, og.GeneratorParams(model))
            generator.append_tokens(tokenizer.encode("..."))
            while not generator.is_done():
                generator.generate_next_token()
            print(tokenizer.decode(generator.get_sequence(0)))
            ```
            """;

    private static final String ADAPTER_USE =
            """

            Alone, `model.onnx` is the base model; the adapter is given to a run. In Java:

            ```java
            OrtLoraAdapter adapter = OrtLoraAdapter.create("adapter.onnx_adapter");
            OrtSession.RunOptions options = new OrtSession.RunOptions();
            options.addActiveLoraAdapter(adapter);
            OrtSession.Result result = session.run(inputs, outputs, options);
            ```

            With onnxruntime-genai:

            ```python
            adapters = og.Adapters(model)
            adapters.load("model/adapter.onnx_adapter", "adapter")
            generator.set_active_adapter(adapters, "adapter")
            ```

            With PEFT, on the model that the adapter was trained on:

            ```python
            model = PeftModel.from_pretrained(base, "model/peft")
            ```
            """;

    private ModelCard() {}

    /**
     * The text for a model of an artifact or of a run.
     *
     * @param apart whether adapters are kept apart from the weights
     */
    static String of(ModelFolder source, Decoder decoder, boolean apart) {
        StringBuilder card = new StringBuilder();
        card.append("# ")
                .append(source.model().name())
                .append("\n\n")
                .append(summary(decoder))
                .append("\n\n");
        RunFolder run = new RunFolder(source.tokenizer());
        if (run.hasRun()) {
            appendRun(card, source, JsonFiles.read(run.provenance(), JsonNode.class));
        } else {
            card.append("- base: ")
                    .append(source.model().name())
                    .append("\n- method: none, the weights are the base model's\n");
        }
        Optional.ofNullable(source.model().lora()).ifPresent(lora -> appendLora(card, lora, apart));
        appendSettings(card, run.config());
        ModelConfig config = decoder.config();
        card.append('\n')
                .append(String.format(
                        Locale.ROOT,
                        USE,
                        config.keyValueHeadCount(),
                        config.headSize(),
                        config.layerCount(),
                        config.vocabularySize()));
        if (apart) {
            card.append(ADAPTER_USE);
        }
        return card.toString();
    }

    private static String summary(Decoder decoder) {
        long numbers = decoder.parameters().stream()
                .mapToLong(parameter -> parameter.shape().elementCount())
                .sum();
        return String.format(
                Locale.ROOT,
                "A decoder of the %s family as ONNX, with a cache of keys and values: %,d parameters in float32, sequences of up to %,d tokens.",
                decoder.config().family().modelType(),
                numbers,
                decoder.config().maximumPositions());
    }

    /** What the model's LoRA was, wherever it lies now. */
    private static void appendLora(StringBuilder card, LoraConfig lora, boolean apart) {
        line(
                card,
                "LoRA",
                String.format(
                        Locale.ROOT,
                        "rank %d, scale %s, on %s; %s",
                        lora.r(),
                        lora.scale(),
                        String.join(", ", lora.targetModules()),
                        apart
                                ? "apart from the weights, in " + DeployableFolder.ADAPTER + " and "
                                        + DeployableFolder.PEFT
                                : "merged into the weights"));
    }

    private static void appendRun(StringBuilder card, ModelFolder source, JsonNode run) {
        boolean anchored = run.path("job").asText().equals("anchor");
        line(card, "base", source.model().name());
        line(card, "method", anchored ? "Anchored Learning" : "supervised fine-tuning");
        ModelFolder.stepOf(source.path()).ifPresent(step -> line(card, "optimizer steps", step.toString()));
        input(card, "artifact", run.path("artifact"));
        input(card, "reference", run.path("reference"));
        run.path("data")
                .fields()
                .forEachRemaining(data -> input(card, "data (" + data.getKey() + ")", data.getValue()));
        line(card, "started", run.path("started").asText());
        line(card, "Holdfast", run.path("versions").path("holdfast").asText());
    }

    private static void input(StringBuilder card, String name, JsonNode input) {
        if (input.isObject()) {
            line(
                    card,
                    name,
                    input.path("path").asText() + ", SHA-256 "
                            + input.path("sha256").asText());
        }
    }

    private static void line(StringBuilder card, String name, String value) {
        card.append("- ").append(name).append(": ").append(value).append('\n');
    }

    private static void appendSettings(StringBuilder card, Path file) {
        if (!Files.isRegularFile(file)) {
            return;
        }
        try {
            card.append("\n## Settings\n\n```yaml\n")
                    .append(Files.readString(file).strip())
                    .append("\n```\n");
        } catch (IOException e) {
            throw FileAccessException.reading(file, e);
        }
    }
}
