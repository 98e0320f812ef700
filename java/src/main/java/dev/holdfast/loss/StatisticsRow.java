package dev.holdfast.loss;

import java.nio.FloatBuffer;

/** One token's row of a tensor of statistics, columns in the order of {@link LossStatistics}. */
final class StatisticsRow {
    private final FloatBuffer statistics;
    private final int start;

    StatisticsRow(FloatBuffer statistics, int token) {
        this.statistics = statistics;
        this.start = token * LossStatistics.COUNT;
    }

    void putDistillation(Distribution student, Distribution snapshot, Distribution reference, Distribution anchor) {
        put(0, anchor.divergenceFrom(student));
        put(1, snapshot.divergenceFrom(anchor));
        put(2, snapshot.divergenceFrom(reference));
        put(4, student.divergenceFrom(reference));
        put(7, snapshot.logSumExp());
        put(8, reference.logSumExp());
    }

    void putSnapshot(Distribution student, Distribution snapshot) {
        put(3, snapshot.divergenceFrom(student));
        put(7, snapshot.logSumExp());
    }

    void putStudent(Distribution student, int label, boolean labelIsArgmax) {
        put(5, student.entropy());
        put(6, student.logSumExp());
        put(9, student.logProbability(label));
        put(10, labelIsArgmax ? 1 : 0);
    }

    private void put(int column, double value) {
        statistics.put(start + column, (float) value);
    }
}
