package dev.holdfast.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.config.Interpolation;
import dev.holdfast.natives.OperatorRun;
import dev.holdfast.onnx.Attributes;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The contract, held by the operators under ONNX Runtime, and what belongs to the graph. */
class OperatorLinearAnchorLossTest extends LinearAnchorLossContract {

    @Override
    Outcome compute(LinearAnchorLossInputs inputs, AnchorLossOptions options) {
        boolean frozen = inputs.anchor() instanceof LinearAnchor.Mean;
        Map<String, HostTensor> result = loss(inputs, options)
                .output("loss")
                .output("hidden_gradient")
                .output(frozen ? null : "head_gradient")
                .output("token_loss")
                .output("statistics")
                .run();
        return new Outcome(
                new LinearAnchorLossResult(
                        result.get("loss").floats().get(0), result.get("token_loss"), result.get("statistics")),
                result.get("hidden_gradient").toFloatArray(),
                Optional.ofNullable(result.get("head_gradient")).map(HostTensor::toFloatArray));
    }

    private static OperatorRun loss(LinearAnchorLossInputs inputs, AnchorLossOptions options) {
        LinearAnchor anchor = inputs.anchor();
        Optional<LinearAnchor.Mean> kept =
                anchor instanceof LinearAnchor.Mean mean ? Optional.of(mean) : Optional.empty();
        return new OperatorRun("LinearAnchorLoss")
                .attributes(Attributes.of("form", (long) anchor.form()))
                .input("student_hidden", inputs.student().hidden())
                .input("student_head", inputs.student().head())
                .input("labels", inputs.labels())
                .input("weights", inputs.weights())
                .input("coefficients", OperatorAnchorLossTest.coefficients(options))
                .input("modes", OperatorAnchorLossTest.modes(options))
                .input("alphas", inputs.alphas().orElse(null))
                .input("snapshot_hidden", hidden(anchor.snapshotSide()))
                .input("snapshot_head", otherHead(anchor.snapshotSide(), inputs.student()))
                .input("reference_hidden", hidden(anchor.referenceSide()))
                .input(
                        "reference_head",
                        otherHead(anchor.referenceSide(), anchor.snapshotSide().orElse(inputs.student())))
                .input("mean", kept.map(LinearAnchor.Mean::mean).orElse(null))
                .input("entropy", kept.map(LinearAnchor.Mean::entropy).orElse(null));
    }

    private static HostTensor hidden(Optional<LinearLogits> side) {
        return side.map(LinearLogits::hidden).orElse(null);
    }

    /** A head that is the one before it is left out, which is how a graph says that it is shared. */
    private static HostTensor otherHead(Optional<LinearLogits> side, LinearLogits before) {
        return side.map(LinearLogits::head)
                .filter(head -> head != before.head())
                .orElse(null);
    }

    @Override
    LinearAnchor.Mean mean(
            AnchorLossOptions options, LinearLogits snapshot, LinearLogits reference, HostTensor alphas) {
        Map<String, HostTensor> result = new OperatorRun("AnchorMean")
                .attributes(Attributes.of(
                        "interpolation", (long) options.interpolation().code(), "temperature", options.temperature()))
                .input("reference_hidden", reference.hidden())
                .input("head", reference.head())
                .input("snapshot_hidden", snapshot.hidden())
                .input("alphas", alphas)
                .output("mean")
                .output("entropy")
                .run();
        return new LinearAnchor.Mean(result.get("mean"), result.get("entropy"));
    }

    private static final AnchorLossOptions ANCHORED = AnchorLossOptions.anchored(Interpolation.LOGIT);

    private static LinearAnchorLossInputs someInputs(LinearLogits student, LinearLogits reference) {
        return new LinearAnchorLossInputs(
                student,
                new LinearAnchor.Hidden(reference),
                HostTensor.ofLongs(new long[] {0, 1, 2}, 3),
                HostTensor.ofFloats(new float[] {1, 0.5f, 0.25f}, 3),
                Optional.empty());
    }

    /** The operators that the fused one stands for, one after another. */
    @Test
    void isProductLossAndProductsAtOnce() {
        Models models = Models.random(new Random(10), 3, 20, 70, false);
        LinearAnchorLossInputs inputs = someInputs(models.student(), models.reference());
        HostTensor logits = product(models.student().hidden(), models.student().head(), false, true);
        HostTensor anchor =
                product(models.reference().hidden(), models.reference().head(), false, true);
        Map<String, HostTensor> composed = new OperatorRun("AnchorLoss")
                .input("student_logits", logits)
                .input("snapshot_logits", null)
                .input("reference_logits", anchor)
                .input("labels", inputs.labels())
                .input("weights", inputs.weights())
                .input("alphas", HostTensor.ofFloats(new float[] {1, 1, 1}, 3))
                .input("coefficients", OperatorAnchorLossTest.coefficients(ANCHORED))
                .input("modes", OperatorAnchorLossTest.modes(ANCHORED))
                .output("loss")
                .output("student_gradient")
                .output(null)
                .output("statistics")
                .run();
        Outcome fused = compute(inputs, ANCHORED);
        HostTensor gradient = composed.get("student_gradient");
        // The same library multiplies the same numbers; how it cuts them may differ by a few roundings of numbers of
        // order 1.
        assertThat((float) fused.result().loss())
                .isCloseTo(composed.get("loss").floats().get(0), within(0x1p-20f));
        assertThat(fused.hiddenGradient())
                .containsExactly(
                        product(gradient, models.student().head(), false, false).toFloatArray(), within(0x1p-20f));
        assertThat(fused.headGradient().orElseThrow())
                .containsExactly(
                        product(gradient, models.student().hidden(), true, false)
                                .toFloatArray(),
                        within(0x1p-20f));
    }

    private static HostTensor product(HostTensor a, HostTensor b, boolean transposeA, boolean transposeB) {
        return new OperatorRun("MatrixProduct")
                .input("a", a)
                .input("b", b)
                .attributes(Attributes.of("transA", transposeA, "transB", transposeB))
                .output("y")
                .run()
                .get("y");
    }

    @Test
    void addsTheHeadsGradientInTheMemoryOfTheCaller() {
        Models models = Models.random(new Random(11), 3, 5, 7, true);
        LinearAnchorLossInputs inputs = someInputs(models.student(), models.reference());
        float[] once = compute(inputs, ANCHORED).headGradient().orElseThrow();
        HostTensor total = HostTensor.allocate(ElementType.FLOAT, Shape.of(7, 5));
        accumulate(inputs, total, null);
        assertThat(total.toFloatArray()).isEqualTo(once);
        accumulate(inputs, total, false);
        for (int i = 0; i < once.length; i++) {
            assertThat(total.floats().get(i)).isEqualTo(2 * once[i]); // doubling rounds nothing
        }
        total.floats().put(0, Float.NaN);
        accumulate(inputs, total, true);
        assertThat(total.toFloatArray()).isEqualTo(once);
    }

    private static void accumulate(LinearAnchorLossInputs inputs, HostTensor total, Boolean reset) {
        OperatorRun run = loss(inputs, ANCHORED).input("head_gradient_total", total);
        if (reset != null) {
            HostTensor flag = HostTensor.allocate(ElementType.BOOL, Shape.of(1));
            flag.bytes().put(0, (byte) (reset ? 1 : 0));
            run.input("reset", flag);
        }
        run.output(null)
                .output(null)
                .output("head_gradient")
                .output(null)
                .output("statistics")
                .consumed("head_gradient")
                .run();
    }

    @Test
    void refusesWhatDoesNotFit() {
        Models models = Models.random(new Random(12), 3, 5, 7, true);
        LinearAnchorLossInputs inputs = new LinearAnchorLossInputs(
                models.student(),
                new LinearAnchor.Sides(Optional.of(models.snapshot()), Optional.of(models.reference())),
                HostTensor.ofLongs(new long[] {0, 1, 2}, 3),
                HostTensor.ofFloats(new float[] {1, 1, 1}, 3),
                Optional.empty());
        assertThatThrownBy(() -> compute(inputs, ANCHORED))
                .hasMessageContaining("LinearAnchorLoss: tokens.alphas: expected a pointer, got NULL");
        LinearLogits wider = Models.random(new Random(13), 3, 6, 7, true).student();
        assertThatThrownBy(() -> mean(
                        ANCHORED, models.snapshot(), models.reference().withHidden(wider.hidden()), inputs.weights()))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
