package dev.holdfast.loss;

import dev.holdfast.tensor.TensorView;
import java.util.Optional;

/**
 * Where {@link DirectAnchorLoss} writes; what is absent is not computed. Nothing may overlap an input but the gradient, which may be the
 * student's logits themselves (same address, type and stride) and then overwrites them.
 *
 * @param loss FLOAT[]: Σ weight · token loss, rounded once; only beside {@code tokenLoss}
 * @param tokenLoss FLOAT[N], without the weights
 * @param statistics FLOAT[N, 11], dense: a column for each {@link LossStatistic}
 * @param gradient of {@code loss} by the student's logits: [N, V], FLOAT, FLOAT16 or BFLOAT16, rows at any distance
 * @param gradientMode what happens to the memory of {@code gradient}
 */
public record AnchorLossTargets(
        Optional<TensorView> loss,
        Optional<TensorView> tokenLoss,
        Optional<TensorView> statistics,
        Optional<TensorView> gradient,
        GradientMode gradientMode) {

    /** Nothing: to be built upon. */
    public static final AnchorLossTargets NONE = new AnchorLossTargets(
            Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), GradientMode.OVERWRITE);

    public AnchorLossTargets {
        if (loss.isPresent() && tokenLoss.isEmpty()) {
            throw new IllegalArgumentException("loss: expected tokenLoss beside it, got none");
        }
    }

    /** These and the losses of the tokens. */
    public AnchorLossTargets withTokenLoss(TensorView target) {
        return new AnchorLossTargets(loss, Optional.of(target), statistics, gradient, gradientMode);
    }

    /** These and the sum; the losses of the tokens must be among them. */
    public AnchorLossTargets withLoss(TensorView target) {
        return new AnchorLossTargets(Optional.of(target), tokenLoss, statistics, gradient, gradientMode);
    }

    /** These and the statistics. */
    public AnchorLossTargets withStatistics(TensorView target) {
        return new AnchorLossTargets(loss, tokenLoss, Optional.of(target), gradient, gradientMode);
    }

    /** These and the gradient. */
    public AnchorLossTargets withGradient(TensorView target, GradientMode mode) {
        return new AnchorLossTargets(loss, tokenLoss, statistics, Optional.of(target), mode);
    }
}
