package dev.holdfast.bench;

import dev.holdfast.config.Divergence;
import dev.holdfast.config.Interpolation;
import dev.holdfast.loss.LinearAnchor;
import dev.holdfast.loss.LinearLogits;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/** A way to compute the loss fused with the LM head, with the products of N × H × V that it needs. */
public enum LinearVariant {
    /** Student, snapshot and reference with heads of their own; gradients of hidden states and head. */
    SEPARATE(5),
    /** Snapshot and reference share a head. */
    MIXED(4),
    /** The same, and the student's head, which all share, is not trained. */
    FROZEN(3),
    /** The anchor by its mean, which was kept. */
    MU(2);

    private final int products;

    LinearVariant(int products) {
        this.products = products;
    }

    /** Products forward and for the gradients. */
    int products() {
        return products;
    }

    /** The name in results, for example {@code holdfast-mixed}. */
    String implementation() {
        return "holdfast-" + name().toLowerCase(Locale.ROOT);
    }

    boolean trainsHead() {
        return this == SEPARATE || this == MIXED;
    }

    /** Heads that are read. */
    int heads() {
        return switch (this) {
            case SEPARATE -> 3;
            case MIXED -> 2;
            case FROZEN, MU -> 1;
        };
    }

    /** Why the variant cannot compute such a loss; empty if it can. */
    Optional<String> absence(Divergence divergence, Interpolation interpolation) {
        if ((this == MIXED || this == FROZEN) && interpolation != Interpolation.LOGIT) {
            return Optional.of("mixed hidden states are a mixture of logits");
        }
        return this == MU && divergence != Divergence.FORWARD_KL
                ? Optional.of("the anchor's mean is enough for forward_kl alone")
                : Optional.empty();
    }

    /** The anchor in this variant's form. */
    LinearAnchor anchor(LinearLogits snapshot, LinearLogits reference, Supplier<LinearAnchor.Mean> mean) {
        return switch (this) {
            case SEPARATE -> new LinearAnchor.Sides(Optional.of(snapshot), Optional.of(reference));
            case MIXED, FROZEN -> new LinearAnchor.Mixed(Optional.of(snapshot), reference);
            case MU -> mean.get();
        };
    }
}
