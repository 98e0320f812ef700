package dev.holdfast.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.holdfast.config.Divergence;
import dev.holdfast.config.Interpolation;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The contract, and what the Java API adds to it: accumulation, frozen heads, refusals. */
abstract class NativeLinearAnchorLossContract extends LinearAnchorLossContract {
    private final LinearAnchorLoss loss;

    NativeLinearAnchorLossContract(LinearAnchorLoss.Backend backend) {
        this.loss = LinearAnchorLoss.create(backend);
    }

    @Override
    Outcome compute(LinearAnchorLossInputs inputs, AnchorLossOptions options) {
        LinearGradients gradients = inputs.anchor() instanceof LinearAnchor.Mean
                ? LinearGradients.ofHidden(inputs.student())
                : LinearGradients.of(inputs.student());
        LinearAnchorLossResult result = loss.compute(inputs, options, gradients);
        return new Outcome(
                result,
                gradients.hidden().orElseThrow().tensor().toFloatArray(),
                gradients.head().map(target -> target.tensor().toFloatArray()));
    }

    @Override
    LinearAnchor.Mean mean(
            AnchorLossOptions options, LinearLogits snapshot, LinearLogits reference, HostTensor alphas) {
        return loss.mean(
                options.interpolation(), options.temperature(), Optional.of(snapshot), reference, Optional.of(alphas));
    }

    private static final LinearLogits STUDENT =
            Models.random(new Random(7), 2, 4, 6, true).student();
    private static final HostTensor LABELS = HostTensor.ofLongs(new long[] {1, 5}, 2);
    private static final HostTensor WEIGHTS = HostTensor.ofFloats(new float[] {1, 1}, 2);
    private static final AnchorLossOptions LABELS_ALONE =
            new AnchorLossOptions(Divergence.FORWARD_KL, Interpolation.LOGIT, LabelWeighting.NONE, 1, 0, 1, 0.5f);

    private static LinearAnchorLossInputs labelled(LinearAnchor anchor, HostTensor labels) {
        return new LinearAnchorLossInputs(STUDENT, anchor, labels, WEIGHTS, Optional.empty());
    }

    @Test
    void addsTheHeadsGradientToWhatIsThere() {
        LinearAnchorLossInputs inputs = labelled(LinearAnchor.none(), LABELS);
        float[] once = compute(inputs, LABELS_ALONE).headGradient().orElseThrow();
        HostTensor total = HostTensor.allocate(ElementType.FLOAT, Shape.of(6, 4));
        LinearGradients adding =
                new LinearGradients(Optional.empty(), Optional.of(new LinearGradients.Target(total, true)));
        loss.compute(inputs, LABELS_ALONE, adding);
        assertThat(total.toFloatArray()).isEqualTo(once);
        loss.compute(inputs, LABELS_ALONE, adding);
        for (int i = 0; i < once.length; i++) {
            assertThat(total.floats().get(i)).isEqualTo(2 * once[i]); // doubling rounds nothing
        }
    }

    @Test
    void givesTheLossAloneWhereNoGradientIsWanted() {
        LinearAnchorLossInputs inputs = labelled(LinearAnchor.none(), LABELS);
        assertThat(loss.compute(inputs, LABELS_ALONE, LinearGradients.none()).loss())
                .isEqualTo(compute(inputs, LABELS_ALONE).result().loss());
    }

    @Test
    void refusesWhatDoesNotFit() {
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        compute(labelled(LinearAnchor.none(), HostTensor.ofLongs(new long[] {0, 6}, 2)), LABELS_ALONE))
                .withMessage("tokens.labels[1]: expected [0, 6) or -100, got 6");
        LinearLogits other = Models.random(new Random(8), 2, 4, 6, true).student();
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        compute(labelled(new LinearAnchor.Mixed(Optional.of(STUDENT), other), LABELS), LABELS_ALONE))
                .withMessage(
                        "anchor.reference: expected the snapshot's head, which HF_ANCHOR_MIXED shares, got another");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> loss.compute(
                        labelled(new LinearAnchor.Hidden(STUDENT), LABELS),
                        LABELS_ALONE,
                        new LinearGradients(Optional.of(new LinearGradients.Target(LABELS, false)), Optional.empty())))
                .withMessage("hidden gradient: expected FLOAT[2, 4], got INT64[2]");
        LinearLogits long3 = Models.random(new Random(9), 3, 4, 6, true).student();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> labelled(new LinearAnchor.Hidden(long3), LABELS))
                .withMessage("reference: expected hidden states of 2 tokens, got FLOAT[3, 4]");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new LinearLogits(STUDENT.hidden(), long3.hidden()).withHidden(LABELS))
                .withMessage("hidden: expected a matrix of FLOAT, FLOAT16 or BFLOAT16, got INT64[2]");
    }
}
