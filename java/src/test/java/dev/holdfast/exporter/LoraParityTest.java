package dev.holdfast.exporter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.artifact.GraphNames;
import dev.holdfast.artifact.ModelFiles;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.artifact.TrainingForm;
import dev.holdfast.runtime.InferenceSession;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.runtime.StepResult;
import dev.holdfast.runtime.TrainingFiles;
import dev.holdfast.runtime.TrainingSession;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HalfPrecision;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import dev.holdfast.testing.GoldenTensors;
import dev.holdfast.testing.TinyModel;
import dev.holdfast.train.AdamW;
import dev.holdfast.train.GradientPort;
import dev.holdfast.weights.LoraConfig;
import dev.holdfast.weights.PeftAdapter;
import dev.holdfast.weights.PendingTensor;
import dev.holdfast.weights.SafetensorsFile;
import dev.holdfast.weights.SafetensorsWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Adapters that PEFT wrote, on the golden models, against what PyTorch computes with them. */
class LoraParityTest {
    /** The project's target for log-probabilities; float32 rounding of these tiny models stays far below it. */
    private static final double LOGIT_TOLERANCE = 1e-4;

    /** Float32 sums in another order; PyTorch's own float32 losses stray from the truth by up to 4e-6 of 6. */
    private static final double LOSS_TOLERANCE = 1e-5;

    /** Float32 sums in another order; an error in a formula is orders of magnitude above it. */
    private static final double GRADIENT_TOLERANCE = 2e-5;

    /** Two roundings of a weight of about 1. */
    private static final double WEIGHT_TOLERANCE = 3e-7;

    @TempDir
    Path folder;

    static Stream<String> families() {
        return GoldenFamily.names();
    }

    private static Path peft(String family) {
        return Path.of("onnx-artifacts/golden", family, "lora");
    }

    private static GoldenTensors golden(String family) {
        return GoldenTensors.read(peft(family).resolve("golden.safetensors"));
    }

    private Exporter exporter(String family) {
        Path source = folder.resolve("source");
        return Exporter.of(Files.exists(source) ? source : TinyModel.source(family, source));
    }

    private ArtifactDirectory adapted(String family) {
        return exporter(family).adapter(PeftAdapter.read(peft(family))).export(folder.resolve("artifact"));
    }

    @ParameterizedTest
    @MethodSource("families")
    void logitsOfAnAdaptedModelEqualPyTorchs(String family) {
        requireLogits(family, forwardLogits(family, adapted(family)), LOGIT_TOLERANCE);
    }

    @ParameterizedTest
    @MethodSource("families")
    void logitsOfAMergedModelEqualPyTorchs(String family) {
        ArtifactDirectory merged =
                exporter(family).mergedAdapter(PeftAdapter.read(peft(family))).export(folder.resolve("artifact"));
        assertThat(merged.lora()).isEmpty();
        requireLogits(family, forwardLogits(family, merged), LOGIT_TOLERANCE);
        requireMergedWeight(family, ModelFolder.open(merged.path()));
    }

    private static void requireMergedWeight(String family, ModelFolder merged) {
        GoldenTensors golden = golden(family);
        String name = golden.names().stream()
                .filter(tensor -> tensor.startsWith("merged."))
                .findFirst()
                .orElseThrow();
        HostTensor weight =
                merged.checkpoint().values(merged.checkpoint().parameter(name.substring("merged.".length())));
        golden.requireClose(name, weight, WEIGHT_TOLERANCE);
    }

    private static HostTensor forwardLogits(String family, ArtifactDirectory artifact) {
        try (InferenceSession session = InferenceSession.open(artifact.forwardModel(), SessionSettings.defaults())) {
            return session.run(
                            Map.of(GraphNames.INPUT_IDS, golden(family).get("input_ids")), List.of(GraphNames.LOGITS))
                    .get(GraphNames.LOGITS);
        }
    }

    private static void requireLogits(String family, HostTensor logits, double tolerance) {
        golden(family).requireCloseInRealRows("logits", logits, tolerance);
    }

    /** The base model alone is another one, or these tests would show nothing. */
    @ParameterizedTest
    @MethodSource("families")
    void thePackagedBaseModelComputesWithOnnxRuntimesAdapterAsTheMergedOneDoes(String family) {
        Path artifact = adapted(family).path();
        DeployableFolder merged = Packager.of(artifact).packageTo(folder.resolve("merged"));
        DeployableFolder apart = Packager.of(artifact).adaptersApart().packageTo(folder.resolve("apart"));

        assertThat(merged.adapter()).isEmpty();
        assertThat(DeployableFolder.open(apart.path()).adapter()).isPresent();
        requireLogits(family, decoderLogits(family, merged, merged.adapter()), LOGIT_TOLERANCE);
        requireLogits(family, decoderLogits(family, apart, apart.adapter()), LOGIT_TOLERANCE);
        GoldenTensors base = GoldenTensors.read(Path.of("onnx-artifacts/golden", family, "golden.safetensors"));
        HostTensor plain = decoderLogits(base, apart, Optional.empty());
        base.requireCloseInRealRows("logits", plain, LOGIT_TOLERANCE);
    }

    private static HostTensor decoderLogits(String family, DeployableFolder decoder, Optional<Path> adapter) {
        return decoderLogits(golden(family), decoder, adapter);
    }

    private static HostTensor decoderLogits(GoldenTensors golden, DeployableFolder decoder, Optional<Path> adapter) {
        HostTensor ids = golden.get("input_ids");
        long rows = ids.shape().dimension(0);
        int length = (int) ids.shape().dimension(1);
        Map<String, HostTensor> inputs = new LinkedHashMap<>();
        inputs.put("input_ids", ids);
        long[] ones = new long[ids.elementCount()];
        Arrays.fill(ones, 1);
        inputs.put("attention_mask", HostTensor.ofLongs(ones, rows, length));
        long[] positions = new long[ids.elementCount()];
        Arrays.setAll(positions, i -> i % length);
        inputs.put("position_ids", HostTensor.ofLongs(positions, rows, length));
        var sizes = decoder.config().model().decoder();
        Shape empty = Shape.of(rows, sizes.numKeyValueHeads(), 0, sizes.headSize());
        for (int layer = 0; layer < sizes.numHiddenLayers(); layer++) {
            for (String part : List.of("key", "value")) {
                inputs.put("past_key_values." + layer + "." + part, HostTensor.allocate(ElementType.FLOAT, empty));
            }
        }
        try (InferenceSession session = InferenceSession.open(decoder.model(), adapter, SessionSettings.defaults())) {
            return session.run(inputs, List.of("logits")).get("logits");
        }
    }

    @ParameterizedTest
    @MethodSource("families")
    void whatPeftWroteIsWrittenAgainForPeft(String family) throws IOException {
        Path artifact = adapted(family).path();
        Path written = Packager.of(artifact)
                .adaptersApart()
                .packageTo(folder.resolve("apart"))
                .path()
                .resolve(DeployableFolder.PEFT);

        PeftAdapter before = PeftAdapter.read(peft(family));
        PeftAdapter after = PeftAdapter.read(written);
        assertThat(after.config()).isEqualTo(before.config());
        GoldenTensors expected = GoldenTensors.read(peft(family).resolve("adapter_model.safetensors"));
        GoldenTensors got = GoldenTensors.read(written.resolve("adapter_model.safetensors"));
        assertThat(got.names()).isEqualTo(expected.names());
        got.names().forEach(name -> expected.requireClose(name, got.get(name), 0));
        JsonNode theirs = json(peft(family));
        json(written).fields().forEachRemaining(field -> {
            if (!field.getKey().equals("base_model_name_or_path")) {
                assertThat(plain(theirs.path(field.getKey())))
                        .as(field.getKey())
                        .isEqualTo(plain(field.getValue()));
            }
        });
    }

    /** PEFT writes whole numbers without a fraction. */
    private static Object plain(JsonNode value) {
        return value.isNumber() ? (Object) value.asDouble() : value;
    }

    private static JsonNode json(Path adapter) throws IOException {
        return new ObjectMapper()
                .readTree(adapter.resolve("adapter_config.json").toFile());
    }

    @ParameterizedTest
    @MethodSource("families")
    void lossEveryGradientAndTenStepsEqualPyTorchs(String family) {
        GoldenTensors golden = golden(family);
        ArtifactDirectory artifact = adapted(family);
        List<GradientPort.Parameter> parameters = parameters(artifact);
        try (TrainingSession session = open(artifact)) {
            session.lazyResetGrad();
            StepResult result = session.trainStep(batch(golden, ""));
            assertThat(result.scalar(GraphNames.LOSS))
                    .isCloseTo((float) golden.doubles("loss")[0], within((float) LOSS_TOLERANCE));
            assertThat(session.evalStep(batch(golden, "")).scalar(GraphNames.LOSS))
                    .isEqualTo(result.scalar(GraphNames.LOSS));
            GradientPort port = GradientPort.of(result.output(GraphNames.GRADIENT_PORT), parameters);
            for (int i = 0; i < parameters.size(); i++) {
                golden.requireCloseInNorm("grad." + parameters.get(i).name(), port.gradient(i), GRADIENT_TOLERANCE);
            }
        }
        try (TrainingSession session = open(artifact)) {
            requireLosses(family, session, parameters, golden);
        }
    }

    private static void requireLosses(
            String family, TrainingSession session, List<GradientPort.Parameter> parameters, GoldenTensors golden) {
        // The settings are those of the family's other golden runs.
        AdamW optimizer = new AdamW(new AdamW.Settings(0.9, 0.999, 1e-5, 0.01, 1), parameters);
        double[] losses = golden.doubles("sft.losses64");
        double[] norms = golden.doubles("sft.gradient_norms");
        for (int step = 0; step < losses.length; step++) {
            session.lazyResetGrad();
            StepResult result = session.trainStep(batch(golden, "batch" + step % 3 + "."));
            GradientPort port = GradientPort.of(result.output(GraphNames.GRADIENT_PORT), parameters);
            double norm = optimizer.step(port, 2e-3);
            assertThat((double) result.scalar(GraphNames.LOSS))
                    .as(family + " loss of step " + step)
                    .isCloseTo(losses[step], within(LOSS_TOLERANCE * losses[step]));
            assertThat(norm).isCloseTo(norms[step], within(10 * LOSS_TOLERANCE * norms[step]));
        }
    }

    private static TrainingSession open(ArtifactDirectory artifact) {
        List<String> names =
                parameters(artifact).stream().map(GradientPort.Parameter::name).toList();
        return TrainingSession.open(
                new TrainingFiles(
                        artifact.checkpoint(),
                        artifact.trainingModel(TrainingForm.SFT),
                        Optional.of(artifact.evalModel(TrainingForm.SFT)),
                        Optional.empty(),
                        names),
                GoldenFamily.SETTINGS);
    }

    private static List<GradientPort.Parameter> parameters(ArtifactDirectory artifact) {
        return artifact.manifest().trainable().stream()
                .map(parameter -> new GradientPort.Parameter(parameter.name(), parameter.concreteShape()))
                .toList();
    }

    private static Map<String, HostTensor> batch(GoldenTensors golden, String prefix) {
        Map<String, HostTensor> inputs = new LinkedHashMap<>();
        HostTensor labels = golden.get(prefix + "labels");
        float[] weights = new float[labels.elementCount()];
        Arrays.fill(weights, 1f / weights.length);
        inputs.put(GraphNames.INPUT_IDS, golden.get(prefix + "input_ids"));
        inputs.put(GraphNames.RESPONSE_POSITIONS, golden.get(prefix + "response_positions"));
        inputs.put(GraphNames.LABELS, labels);
        inputs.put(GraphNames.WEIGHTS, HostTensor.ofFloats(weights, weights.length));
        inputs.put(GraphNames.LOSS_COEFFICIENTS, HostTensor.ofFloats(new float[] {1, 0, 1, 0.5f}, 4));
        inputs.put(GraphNames.LOSS_MODES, HostTensor.ofLongs(new long[3], 3));
        return inputs;
    }

    @ParameterizedTest
    @MethodSource("families")
    void frozenWeightsInBfloat16ComputeAsTheirRoundedValuesInFloatDo(String family) {
        Exporter halves = exporter(family).frozenType(ElementType.BFLOAT16);
        ArtifactDirectory half = halves.adapter(PeftAdapter.read(peft(family))).export(folder.resolve("half"));
        ArtifactDirectory rounded = Exporter.of(roundedSource())
                .adapter(PeftAdapter.read(peft(family)))
                .export(folder.resolve("artifact"));

        HostTensor expected = forwardLogits(family, rounded);
        requireClose(forwardLogits(family, half), expected);
        DeployableFolder packaged = Packager.of(half.path()).packageTo(folder.resolve("merged"));
        requireClose(decoderLogits(family, packaged, Optional.empty()), expected);
        Map<String, float[]> gradients = gradients(family, rounded);
        gradients(family, half).forEach((name, gradient) -> requireCloseInNorm(name, gradient, gradients.get(name)));
    }

    /** The model of {@link #exporter} with the matrices that bfloat16 has room for. */
    private Path roundedSource() {
        Path source = folder.resolve("source");
        Path target = folder.resolve("rounded");
        try (SafetensorsFile weights = SafetensorsFile.open(source.resolve("model.safetensors"))) {
            Files.createDirectories(target);
            ModelFiles.copy(source, target);
            List<PendingTensor> tensors = weights.names().stream()
                    .map(name -> PendingTensor.of(weights, name))
                    .map(tensor -> tensor.shape().rank() < 2
                            ? tensor
                            : tensor.converted(
                                    ElementType.FLOAT, values -> HalfPrecision.toFloat(HalfPrecision.toBfloat(values))))
                    .toList();
            SafetensorsWriter.write(target.resolve("model.safetensors"), Map.of(), tensors);
            return target;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Map<String, float[]> gradients(String family, ArtifactDirectory artifact) {
        List<GradientPort.Parameter> parameters = parameters(artifact);
        Map<String, float[]> gradients = new LinkedHashMap<>();
        try (TrainingSession session = open(artifact)) {
            session.lazyResetGrad();
            StepResult result = session.trainStep(batch(golden(family), ""));
            GradientPort port = GradientPort.of(result.output(GraphNames.GRADIENT_PORT), parameters);
            for (int i = 0; i < parameters.size(); i++) {
                gradients.put(parameters.get(i).name(), port.gradient(i).toFloatArray());
            }
        }
        return gradients;
    }

    private static void requireClose(HostTensor actual, HostTensor expected) {
        for (int i = 0; i < expected.elementCount(); i++) {
            assertThat(actual.floats().get(i)).isCloseTo(expected.floats().get(i), within((float) LOGIT_TOLERANCE));
        }
    }

    private static void requireCloseInNorm(String name, float[] actual, float[] expected) {
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < expected.length; i++) {
            difference += Math.pow(actual[i] - expected[i], 2);
            norm += Math.pow(expected[i], 2);
        }
        assertThat(Math.sqrt(difference / norm)).as(name).isLessThan(GRADIENT_TOLERANCE);
    }

    @Test
    void freshAdaptersLeaveTheModelAsItIsAndFollowFromTheSeed() {
        GoldenTensors base = GoldenTensors.read(Path.of("onnx-artifacts/golden/llama/golden.safetensors"));
        ArtifactDirectory first =
                exporter("llama").lora(LoraConfig.of(4)).seed(1).export(folder.resolve("first"));
        Exporter again = Exporter.of(folder.resolve("source")).lora(LoraConfig.of(4));
        try (InferenceSession session = InferenceSession.open(first.forwardModel(), SessionSettings.defaults())) {
            base.requireCloseInRealRows(
                    "logits",
                    session.run(Map.of(GraphNames.INPUT_IDS, base.get("input_ids")), List.of(GraphNames.LOGITS))
                            .get(GraphNames.LOGITS),
                    LOGIT_TOLERANCE);
        }
        ArtifactDirectory same = again.seed(1).export(folder.resolve("same"));
        ArtifactDirectory other = again.seed(2).export(folder.resolve("other"));
        assertThat(same.checkpoint()).hasSameBinaryContentAs(first.checkpoint());
        assertThat(other.manifest().files().get("checkpoint"))
                .isNotEqualTo(first.manifest().files().get("checkpoint"));
    }
}
