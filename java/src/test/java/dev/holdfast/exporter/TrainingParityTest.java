package dev.holdfast.exporter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.artifact.GraphNames;
import dev.holdfast.artifact.TrainingForm;
import dev.holdfast.onnx.Kernels;
import dev.holdfast.runtime.InferenceSession;
import dev.holdfast.runtime.StepResult;
import dev.holdfast.runtime.TrainingSession;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.train.AdamW;
import dev.holdfast.train.GradientPort;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Loss, every gradient and ten optimizer steps of each family against PyTorch, with stock operators and with Holdfast's. */
class TrainingParityTest {
    /** The project's target for ten losses, relative. */
    private static final double LOSS_TOLERANCE = 1e-4;

    /** Float32 sums in another order; an error in a formula is orders of magnitude above it. */
    private static final double GRADIENT_TOLERANCE = 2e-5;

    static Stream<Arguments> familiesAndKernels() {
        return GoldenFamily.names()
                .flatMap(name -> Arrays.stream(Kernels.values()).map(kernels -> Arguments.of(name, kernels)));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("familiesAndKernels")
    void lossAndEveryGradientEqualPyTorchs(String name, Kernels kernels, @TempDir Path directory) {
        GoldenFamily family = new GoldenFamily(name, directory);
        try (TrainingSession session = family.openTraining(TrainingForm.SFT, kernels)) {
            session.lazyResetGrad();
            StepResult result = session.trainStep(family.batch("", 1, 0, 1, 0));
            double expected = family.tensors().doubles("loss64")[0];
            assertThat((double) result.scalar(GraphNames.LOSS)).isCloseTo(expected, within(LOSS_TOLERANCE * expected));
            GradientPort port = GradientPort.of(result.output(GraphNames.GRADIENT_PORT), family.parameters());
            for (int i = 0; i < family.parameters().size(); i++) {
                String parameter = family.parameters().get(i).name();
                family.tensors().requireCloseInNorm("grad." + parameter, port.gradient(i), GRADIENT_TOLERANCE);
            }
            float evaluated = session.evalStep(family.batch("", 1, 0, 1, 0)).scalar(GraphNames.LOSS);
            assertThat(evaluated).isEqualTo(result.scalar(GraphNames.LOSS));
        }
    }

    static Stream<Arguments> familiesAndRuns() {
        return GoldenFamily.names().flatMap(name -> Stream.of(
                        "anchor_logit", "anchor_probability", "anchor_current", "anchor_hard")
                .flatMap(run -> Arrays.stream(Kernels.values()).map(kernels -> Arguments.of(name, run, kernels))));
    }

    @ParameterizedTest(name = "{0} {1} {2}")
    @MethodSource("familiesAndRuns")
    void tenStepsOfFineTuningAndOfAnchoredLearningEqualPyTorchs(
            String name, String run, Kernels kernels, @TempDir Path directory) {
        GoldenFamily family = new GoldenFamily(name, directory);
        try (TrainingSession supervised = family.openTraining(TrainingForm.SFT, kernels)) {
            Run fineTuning = new Run(family, supervised, null);
            fineTuning.requireLosses("sft");
            try (InferenceSession reference = family.freeze("reference", fineTuning.port)) {
                JsonNode settings = family.settings().path("runs").path(run);
                TrainingForm form = settings.path("snapshot").asText().equals("current")
                        ? TrainingForm.ANCHOR_CURRENT
                        : TrainingForm.ANCHOR;
                try (TrainingSession student = family.openTraining(form, kernels)) {
                    new Run(family, student, new Anchor(form, settings, reference)).requireLosses(run);
                }
            }
        }
    }

    /** The anchored objective of a golden run. */
    private record Anchor(TrainingForm form, JsonNode settings, InferenceSession reference) {}

    /** Ten steps on the golden batches in turn. */
    private static final class Run {
        private final GoldenFamily family;
        private final TrainingSession session;
        private final Anchor anchor;
        private final JsonNode settings;
        private final AdamW optimizer;
        private InferenceSession snapshot;
        private String snapshotName = "checkpoint";
        private GradientPort port;

        Run(GoldenFamily family, TrainingSession session, Anchor anchor) {
            this.family = family;
            this.session = session;
            this.anchor = anchor;
            this.settings = family.settings();
            this.optimizer = new AdamW(
                    new AdamW.Settings(
                            settings.path("adam_beta1").asDouble(),
                            settings.path("adam_beta2").asDouble(),
                            settings.path("adam_epsilon").asDouble(),
                            settings.path("weight_decay").asDouble(),
                            settings.path("max_grad_norm").asDouble()),
                    family.parameters());
        }

        void requireLosses(String golden) {
            double[] expected = family.tensors().doubles(golden + ".losses");
            double[] norms = family.tensors().doubles(golden + ".gradient_norms");
            for (int step = 0; step < expected.length; step++) {
                if (anchor != null && step % settings.path("steps_per_snapshot").asInt() == 0) {
                    renewSnapshot(step);
                }
                double[] got = step(step % settings.path("batches").asInt());
                assertThat(got[0])
                        .as(golden + " loss of step " + step)
                        .isCloseTo(expected[step], within(tolerance(expected[step])));
                assertThat(got[1])
                        .as(golden + " gradient norm of step " + step)
                        .isCloseTo(norms[step], within(normTolerance(norms[step])));
            }
            if (snapshot != null) {
                snapshot.close();
            }
        }

        /** A norm has no target of its own: ten times the loss's, of which it is a slope; with a floor for gradients near zero. */
        private static double normTolerance(double expected) {
            return 10 * LOSS_TOLERANCE * expected + 1e-6;
        }

        /** Relative, with a floor for the divergences near zero at the start of an iteration, where float32 has only absolute accuracy. */
        private static double tolerance(double expected) {
            return LOSS_TOLERANCE * Math.abs(expected) + 1e-7;
        }

        private void renewSnapshot(int step) {
            optimizer.restart();
            if (anchor.form() == TrainingForm.ANCHOR) {
                if (snapshot != null) {
                    snapshot.close();
                }
                snapshotName = step == 0 ? "checkpoint" : "snapshot-" + step;
                snapshot = step == 0 ? family.openHidden(snapshotName) : family.freeze(snapshotName, port);
            }
        }

        private double[] step(int batch) {
            session.lazyResetGrad();
            StepResult result = session.trainStep(inputs("batch" + batch + "."));
            port = GradientPort.of(result.output(GraphNames.GRADIENT_PORT), family.parameters());
            double norm = optimizer.step(port, settings.path("learning_rate").asDouble());
            return new double[] {result.scalar(GraphNames.LOSS), norm};
        }

        private Map<String, HostTensor> inputs(String prefix) {
            if (anchor == null) {
                return family.batch(prefix, 1, 0, 1, 0);
            }
            float hard = (float) anchor.settings().path("hard_weight").asDouble();
            int interpolation = anchor.settings().path("interpolation").asText().equals("logit") ? 0 : 1;
            float temperature = (float) anchor.settings().path("temperature").asDouble();
            Map<String, HostTensor> inputs = family.batch(prefix, temperature, 1 - hard, hard, interpolation);
            float[] alphas = new float[inputs.get(GraphNames.LABELS).elementCount()];
            Arrays.fill(alphas, (float) settings.path("alpha").asDouble());
            inputs.put(GraphNames.ALPHAS, HostTensor.ofFloats(alphas, alphas.length));
            inputs.put(GraphNames.REFERENCE_HIDDEN, hidden(anchor.reference(), inputs));
            inputs.put(GraphNames.REFERENCE_HEAD, family.head("reference"));
            if (anchor.form() == TrainingForm.ANCHOR) {
                inputs.put(GraphNames.SNAPSHOT_HIDDEN, hidden(snapshot, inputs));
                inputs.put(GraphNames.SNAPSHOT_HEAD, family.head(snapshotName));
            }
            return inputs;
        }

        private static HostTensor hidden(InferenceSession session, Map<String, HostTensor> inputs) {
            Map<String, HostTensor> given = Map.of(
                    GraphNames.INPUT_IDS, inputs.get(GraphNames.INPUT_IDS),
                    GraphNames.RESPONSE_POSITIONS, inputs.get(GraphNames.RESPONSE_POSITIONS));
            return session.run(given, List.of(GraphNames.HIDDEN_STATES)).get(GraphNames.HIDDEN_STATES);
        }
    }
}
