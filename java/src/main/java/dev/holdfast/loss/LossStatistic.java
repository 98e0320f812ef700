package dev.holdfast.loss;

import java.util.Locale;

/**
 * What is known about a token beside its loss: the columns of a tensor of statistics FLOAT[N, {@value #COUNT}], in order, as {@link
 * AnchorLoss} and the operator {@code dev.holdfast:AnchorLoss} give it. At the loss's temperature; what lacks a side is 0, as is everything
 * of a token that takes no part.
 */
public enum LossStatistic {
    /** KL(anchor ‖ student), in nats. */
    KL_ANCHOR_STUDENT(0),
    /** KL(snapshot ‖ anchor), in nats. */
    KL_SNAPSHOT_ANCHOR(1),
    /** KL(snapshot ‖ reference), in nats. */
    KL_SNAPSHOT_REFERENCE(2),
    /** KL(snapshot ‖ student), in nats. */
    KL_SNAPSHOT_STUDENT(3),
    /** KL(student ‖ reference), in nats. */
    KL_STUDENT_REFERENCE(4),
    /** Entropy of the student, in nats. */
    STUDENT_ENTROPY(5),
    /** log Σ exp of the student's logits over the temperature. */
    STUDENT_LOG_SUM_EXP(6),
    /** log Σ exp of the snapshot's logits over the temperature. */
    SNAPSHOT_LOG_SUM_EXP(7),
    /** log Σ exp of the reference's logits over the temperature. */
    REFERENCE_LOG_SUM_EXP(8),
    /** log p_student(label) at the loss's temperature. */
    LABEL_LOG_PROBABILITY(9),
    /** 1 if the label is the first of the student's highest logits, as an argmax finds it, else 0. */
    LABEL_IS_ARGMAX(10);

    /** How many columns there are. */
    public static final int COUNT = 11;

    private final int column;

    LossStatistic(int column) {
        this.column = column;
    }

    /** The column of {@code holdfast.h} in a row of statistics. */
    public int column() {
        return column;
    }

    /** The name in metrics files, for example {@code kl_anchor_student}. */
    public String key() {
        return name().toLowerCase(Locale.ROOT);
    }
}
