package dev.holdfast.loss;

import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.util.Optional;

/** How the anchor of {@link LinearAnchorLoss} is given. With N tokens, H the hidden size and V the vocabulary, each form has its price. */
public sealed interface LinearAnchor {

    /** The code of {@code linear_anchor_loss.h}, and of the attribute {@code form} of the operator. */
    int form();

    /** The model whose hidden states are the snapshot's, if one is given. */
    default Optional<LinearLogits> snapshotSide() {
        return Optional.empty();
    }

    /** The model whose hidden states are the reference's or the anchor's own, if one is given. */
    default Optional<LinearLogits> referenceSide() {
        return Optional.empty();
    }

    /**
     * Snapshot and reference by hidden states and heads of their own, with every statistic: 10 NHV operations with the gradients.
     *
     * @param snapshot absent: the student's own, held constant
     * @param reference absent: no divergence
     */
    record Sides(Optional<LinearLogits> snapshot, Optional<LinearLogits> reference) implements LinearAnchor {
        @Override
        public int form() {
            return 0;
        }

        @Override
        public Optional<LinearLogits> snapshotSide() {
            return snapshot;
        }

        @Override
        public Optional<LinearLogits> referenceSide() {
            return reference;
        }
    }

    /**
     * Snapshot and reference that share one head, so that hidden states are mixed instead of logits: 8 NHV. Logit interpolation alone.
     *
     * @param snapshot absent: the student's own, held constant
     */
    record Mixed(Optional<LinearLogits> snapshot, LinearLogits reference) implements LinearAnchor {
        @Override
        public int form() {
            return 1;
        }

        @Override
        public Optional<LinearLogits> snapshotSide() {
            return snapshot;
        }

        @Override
        public Optional<LinearLogits> referenceSide() {
            return Optional.of(reference);
        }
    }

    /** Hidden states that were mixed before, or those of any model that is the anchor: 8 NHV. α is not read. */
    record Hidden(LinearLogits anchor) implements LinearAnchor {
        @Override
        public int form() {
            return 2;
        }

        @Override
        public Optional<LinearLogits> referenceSide() {
            return Optional.of(anchor);
        }
    }

    /**
     * What {@link LinearAnchorLoss#mean} keeps of an anchor that shares the student's frozen head, for forward KL: 4 NHV, as much as
     * cross-entropy alone. Near the anchor it is less exact than the other forms; {@code linear_anchor_loss.h} says how much.
     *
     * @param mean μ = Wᵀq: FLOAT[N, H]
     * @param entropy of q in nats: FLOAT[N]
     */
    record Mean(HostTensor mean, HostTensor entropy) implements LinearAnchor {

        public Mean {
            if (mean.elementType() != ElementType.FLOAT || mean.shape().rank() != 2) {
                throw new IllegalArgumentException("mean: expected a matrix of FLOAT, got " + mean);
            }
            LinearAnchorLossInputs.require(
                    "entropy", entropy, ElementType.FLOAT, Shape.of(mean.shape().dimension(0)));
        }

        @Override
        public int form() {
            return 3;
        }
    }

    /** Labels alone: cross-entropy without any other model. */
    static LinearAnchor none() {
        return new Sides(Optional.empty(), Optional.empty());
    }
}
