package dev.holdfast.loss;

import java.nio.FloatBuffer;

/** One token's row of a tensor of statistics, a column for each {@link LossStatistic}. */
final class StatisticsRow {
    private final FloatBuffer statistics;
    private final int start;

    StatisticsRow(FloatBuffer statistics, int token) {
        this.statistics = statistics;
        this.start = token * LossStatistic.COUNT;
    }

    void putDistillation(Distribution student, Distribution snapshot, Distribution reference, Distribution anchor) {
        put(LossStatistic.KL_ANCHOR_STUDENT, anchor.divergenceFrom(student));
        put(LossStatistic.KL_SNAPSHOT_ANCHOR, snapshot.divergenceFrom(anchor));
        put(LossStatistic.KL_SNAPSHOT_REFERENCE, snapshot.divergenceFrom(reference));
        put(LossStatistic.KL_STUDENT_REFERENCE, student.divergenceFrom(reference));
        put(LossStatistic.SNAPSHOT_LOG_SUM_EXP, snapshot.logSumExp());
        put(LossStatistic.REFERENCE_LOG_SUM_EXP, reference.logSumExp());
    }

    void putSnapshot(Distribution student, Distribution snapshot) {
        put(LossStatistic.KL_SNAPSHOT_STUDENT, snapshot.divergenceFrom(student));
        put(LossStatistic.SNAPSHOT_LOG_SUM_EXP, snapshot.logSumExp());
    }

    void putStudent(Distribution student, int label, boolean labelIsArgmax) {
        put(LossStatistic.STUDENT_ENTROPY, student.entropy());
        put(LossStatistic.STUDENT_LOG_SUM_EXP, student.logSumExp());
        put(LossStatistic.LABEL_LOG_PROBABILITY, student.logProbability(label));
        put(LossStatistic.LABEL_IS_ARGMAX, labelIsArgmax ? 1 : 0);
    }

    private void put(LossStatistic column, double value) {
        statistics.put(start + column.column(), (float) value);
    }
}
