package dev.holdfast.loss;

import dev.holdfast.tensor.HostTensor;
import java.nio.FloatBuffer;

/**
 * What is known about one token beside its loss. Divergences and entropies in nats at the loss's temperature; what lacks a side is 0, as is
 * everything of a token that takes no part.
 *
 * @param klAnchorToStudent KL(q ‖ p_s)
 * @param klSnapshotToAnchor KL(p_c ‖ q)
 * @param klSnapshotToReference KL(p_c ‖ p_r)
 * @param klSnapshotToStudent KL(p_c ‖ p_s)
 * @param klStudentToReference KL(p_s ‖ p_r)
 * @param studentEntropy entropy of p_s
 * @param studentLogSumExp log Σ exp(s / temperature)
 * @param snapshotLogSumExp log Σ exp(c / temperature)
 * @param referenceLogSumExp log Σ exp(r / temperature)
 * @param labelLogProbability log of the label's probability under the student
 * @param labelIsArgmax whether no logit of the student exceeds the label's
 */
public record LossStatistics(
        float klAnchorToStudent,
        float klSnapshotToAnchor,
        float klSnapshotToReference,
        float klSnapshotToStudent,
        float klStudentToReference,
        float studentEntropy,
        float studentLogSumExp,
        float snapshotLogSumExp,
        float referenceLogSumExp,
        float labelLogProbability,
        boolean labelIsArgmax) {

    /** Columns of a tensor of statistics. */
    public static final int COUNT = 11;

    /**
     * The statistics of one token.
     *
     * @param statistics FLOAT[N, 11], columns in the order of this record
     * @param token in [0, N)
     */
    public static LossStatistics of(HostTensor statistics, int token) {
        FloatBuffer all = statistics.floats();
        int row = token * COUNT;
        return new LossStatistics(
                all.get(row),
                all.get(row + 1),
                all.get(row + 2),
                all.get(row + 3),
                all.get(row + 4),
                all.get(row + 5),
                all.get(row + 6),
                all.get(row + 7),
                all.get(row + 8),
                all.get(row + 9),
                all.get(row + 10) != 0);
    }
}
