package dev.holdfast.train;

import dev.holdfast.artifact.GraphNames;
import dev.holdfast.artifact.TrainingForm;
import dev.holdfast.config.Divergence;
import dev.holdfast.config.Interpolation;
import dev.holdfast.config.Job;
import dev.holdfast.config.SnapshotMode;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Batch;
import dev.holdfast.loss.LabelWeighting;
import dev.holdfast.tensor.HostTensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The inputs of the training graph for a batch: the batch itself, the settings of the loss, and what snapshot and reference say of it.
 *
 * <p>Supervised fine-tuning is cross-entropy alone; anchored distillation is (1−w)·D(anchor, student) + w·cross-entropy with w the
 * {@code hard_weight}. Source: arXiv 2605.04468; the cross-entropy term is not in the paper.
 */
final class LossInputs {
    private final TrainingForm form;
    private final HostTensor coefficients;
    private final HostTensor modes;

    private LossInputs(TrainingForm form, HostTensor coefficients, HostTensor modes) {
        this.form = form;
        this.coefficients = coefficients;
        this.modes = modes;
    }

    static LossInputs of(TrainingConfig config) {
        if (config.job() == Job.SFT) {
            return supervised();
        }
        TrainingForm form = config.snapshot() == SnapshotMode.MODEL ? TrainingForm.ANCHOR : TrainingForm.ANCHOR_CURRENT;
        HostTensor coefficients =
                coefficients(config.temperature(), 1 - config.hardWeight(), config.hardWeight(), config.jsdBeta());
        return new LossInputs(form, coefficients, modes(config.divergence(), config.interpolation()));
    }

    /** Cross-entropy on the labels alone. */
    static LossInputs supervised() {
        return new LossInputs(
                TrainingForm.SFT, coefficients(1, 0, 1, 0.5), modes(Divergence.FORWARD_KL, Interpolation.LOGIT));
    }

    /** Forward KL to a mixture of logits at temperature 1: what the ledger measures, whatever the run minimises. */
    static LossInputs plain() {
        return forwardKl(1, Interpolation.LOGIT);
    }

    /** Forward KL to the anchor of a run's loss, at its temperature, whatever divergence it minimises. */
    static LossInputs toAnchor(TrainingConfig config) {
        return forwardKl(config.temperature(), config.interpolation());
    }

    private static LossInputs forwardKl(double temperature, Interpolation interpolation) {
        return new LossInputs(
                TrainingForm.ANCHOR, coefficients(temperature, 1, 0, 0.5), modes(Divergence.FORWARD_KL, interpolation));
    }

    private static HostTensor coefficients(double temperature, double distillation, double crossEntropy, double beta) {
        return HostTensor.ofFloats(
                new float[] {(float) temperature, (float) distillation, (float) crossEntropy, (float) beta}, 4);
    }

    private static HostTensor modes(Divergence divergence, Interpolation interpolation) {
        return HostTensor.ofLongs(new long[] {divergence.code(), interpolation.code(), LabelWeighting.NONE.code()}, 3);
    }

    /** The form of the graph that these inputs are for. */
    TrainingForm form() {
        return form;
    }

    /** Temperature and weights of the loss's terms, FLOAT[4]. */
    HostTensor coefficients() {
        return coefficients;
    }

    /** Divergence, interpolation and label weighting, INT64[3]. */
    HostTensor modes() {
        return modes;
    }

    /**
     * The inputs for a batch.
     *
     * @param alpha the weight of the reference; unused where the form has no reference
     * @param snapshot the model at the start of the iteration; unused where the form has no snapshot
     * @param reference the fine-tuned model; unused where the form has no reference
     */
    Map<String, HostTensor> of(Batch batch, double alpha, Teacher snapshot, Teacher reference) {
        Map<String, HostTensor> inputs = new LinkedHashMap<>();
        inputs.put(GraphNames.INPUT_IDS, batch.inputIds());
        inputs.put(GraphNames.RESPONSE_POSITIONS, batch.responsePositions());
        inputs.put(GraphNames.LABELS, batch.labels());
        inputs.put(GraphNames.WEIGHTS, batch.weights());
        inputs.put(GraphNames.LOSS_COEFFICIENTS, coefficients);
        inputs.put(GraphNames.LOSS_MODES, modes);
        if (form.hasReference()) {
            inputs.put(GraphNames.ALPHAS, filled((float) alpha, batch.responseTokens()));
            inputs.put(GraphNames.REFERENCE_HIDDEN, reference.hidden(batch));
            inputs.put(GraphNames.REFERENCE_HEAD, reference.head());
        }
        if (form.hasSnapshot()) {
            inputs.put(GraphNames.SNAPSHOT_HIDDEN, snapshot.hidden(batch));
            inputs.put(GraphNames.SNAPSHOT_HEAD, snapshot.head());
        }
        return inputs;
    }

    /** The same number for each token, FLOAT[count]. */
    static HostTensor filled(float value, int count) {
        float[] values = new float[count];
        Arrays.fill(values, value);
        return HostTensor.ofFloats(values, count);
    }
}
