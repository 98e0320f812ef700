package dev.holdfast.loss;

import dev.holdfast.tensor.HostTensor;
import java.nio.FloatBuffer;

/**
 * The loss of a set of tokens; gradients are in the tensors that the call named.
 *
 * @param loss Σ weight · token loss
 * @param tokenLoss FLOAT[N], without the weights
 * @param statistics FLOAT[N, 11]: a column for each {@link LossStatistic}. Unless snapshot and reference were both given ({@link
 *     LinearAnchor.Sides}), those that concern them are 0, but for KL(anchor ‖ student)
 */
public record LinearAnchorLossResult(double loss, HostTensor tokenLoss, HostTensor statistics) {

    static LinearAnchorLossResult of(LinearAnchorLossInputs inputs, HostTensor tokenLoss, HostTensor statistics) {
        FloatBuffer losses = tokenLoss.floats();
        FloatBuffer weights = inputs.weights().floats();
        double loss = 0;
        for (int i = 0; i < losses.capacity(); i++) {
            boolean counts = inputs.labels().longs().get(i) != AnchorLossInputs.IGNORE_INDEX && weights.get(i) != 0;
            loss += counts ? (double) weights.get(i) * losses.get(i) : 0;
        }
        return new LinearAnchorLossResult(loss, tokenLoss, statistics);
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
