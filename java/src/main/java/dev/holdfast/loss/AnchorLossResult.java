package dev.holdfast.loss;

import dev.holdfast.tensor.HostTensor;
import java.nio.FloatBuffer;
import java.util.Optional;

/**
 * The loss of a set of tokens.
 *
 * @param loss Σ weight · token loss
 * @param tokenLoss FLOAT[N], without the weights
 * @param statistics FLOAT[N, 11]: a column for each {@link LossStatistic}
 * @param studentGradient gradient of {@code loss} by the student's logits [N, V], if it was asked for
 */
public record AnchorLossResult(
        double loss, HostTensor tokenLoss, HostTensor statistics, Optional<HostTensor> studentGradient) {

    static AnchorLossResult of(
            AnchorLossInputs inputs, HostTensor tokenLoss, HostTensor statistics, Optional<HostTensor> gradient) {
        FloatBuffer losses = tokenLoss.floats();
        FloatBuffer weights = inputs.weights().floats();
        double loss = 0;
        for (int i = 0; i < inputs.tokenCount(); i++) {
            loss += inputs.isIgnored(i) ? 0 : (double) weights.get(i) * losses.get(i);
        }
        return new AnchorLossResult(loss, tokenLoss, statistics, gradient);
    }

    /**
     * One statistic of one token.
     *
     * @param token in [0, N)
     */
    public float statistic(int token, LossStatistic statistic) {
        return statistics.floats().get(token * LossStatistic.COUNT + statistic.column());
    }
}
