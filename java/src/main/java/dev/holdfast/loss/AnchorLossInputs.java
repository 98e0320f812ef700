package dev.holdfast.loss;

import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Optional;

/**
 * The tokens of which the loss is taken. Logits are FLOAT, FLOAT16 or BFLOAT16; columns that one side lacks count as -∞ there.
 *
 * @param student logits [N, V] of the model in training
 * @param snapshot logits [N, Vc] of its frozen copy; absent: the student's own, held constant
 * @param reference logits [N, Vr] of the frozen target; absent: no divergence
 * @param labels INT64[N] in [0, V), or {@link #IGNORE_INDEX}
 * @param weights FLOAT[N], finite; weight 0 removes a token
 * @param alphas FLOAT[N] in [0, 1]: 0 = snapshot, 1 = reference; present exactly with a reference
 */
public record AnchorLossInputs(
        HostTensor student,
        Optional<HostTensor> snapshot,
        Optional<HostTensor> reference,
        HostTensor labels,
        HostTensor weights,
        Optional<HostTensor> alphas) {

    /** The label of positions that take no part. */
    public static final long IGNORE_INDEX = -100;

    public AnchorLossInputs {
        TokenTensors.requireLogits("student", student.elementType(), student.shape(), student.shape());
        snapshot.ifPresent(logits ->
                TokenTensors.requireLogits("snapshot", logits.elementType(), logits.shape(), student.shape()));
        reference.ifPresent(logits ->
                TokenTensors.requireLogits("reference", logits.elementType(), logits.shape(), student.shape()));
        long tokens = student.shape().dimension(0);
        TokenTensors.require("labels", labels.elementType(), labels.shape(), ElementType.INT64, tokens);
        TokenTensors.require("weights", weights.elementType(), weights.shape(), ElementType.FLOAT, tokens);
        alphas.ifPresent(values ->
                TokenTensors.require("alphas", values.elementType(), values.shape(), ElementType.FLOAT, tokens));
        TokenTensors.requireAlphas(reference.isPresent(), alphas.isPresent());
    }

    /** Labels alone: no other model is needed. */
    public static AnchorLossInputs ofLabels(HostTensor student, HostTensor labels, HostTensor weights) {
        return new AnchorLossInputs(student, Optional.empty(), Optional.empty(), labels, weights, Optional.empty());
    }

    /** These tokens with a reference. */
    public AnchorLossInputs withReference(HostTensor logits, HostTensor mixingWeights) {
        return new AnchorLossInputs(
                student, snapshot, Optional.of(logits), labels, weights, Optional.of(mixingWeights));
    }

    /** These tokens with a snapshot. */
    public AnchorLossInputs withSnapshot(HostTensor logits) {
        return new AnchorLossInputs(student, Optional.of(logits), reference, labels, weights, alphas);
    }

    /** N. */
    public int tokenCount() {
        return Math.toIntExact(student.shape().dimension(0));
    }

    /** V. */
    public int vocabularySize() {
        return Math.toIntExact(student.shape().dimension(1));
    }

    /** Whether a token takes no part. */
    boolean isIgnored(int token) {
        return labels.longs().get(token) == IGNORE_INDEX || weights.floats().get(token) == 0;
    }

    /** Checks every value that is given per token. */
    void requireValidTokens() {
        LongBuffer label = labels.longs();
        FloatBuffer weight = weights.floats();
        for (int i = 0; i < tokenCount(); i++) {
            long y = label.get(i);
            requireValue(
                    y == IGNORE_INDEX || y >= 0 && y < vocabularySize(),
                    "labels",
                    i,
                    "[0, " + vocabularySize() + ") or -100",
                    y);
            requireValue(Float.isFinite(weight.get(i)), "weights", i, "a finite number", weight.get(i));
            if (alphas.isPresent()) {
                float alpha = alphas.get().floats().get(i);
                requireValue(alpha >= 0 && alpha <= 1, "alphas", i, "[0, 1]", alpha);
            }
        }
    }

    private static void requireValue(boolean holds, String name, int token, String expected, Object got) {
        if (!holds) {
            throw new IllegalArgumentException(name + "[" + token + "]: expected " + expected + ", got " + got);
        }
    }
}
