package dev.holdfast.train;

import dev.holdfast.artifact.GraphNames;
import dev.holdfast.data.Batch;
import dev.holdfast.loss.LossStatistic;
import dev.holdfast.onnx.ProductSubstitution;
import dev.holdfast.runtime.InferenceSession;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.HostTensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Measures how far models are apart on given rows, from their hidden states and heads, with the loss operator's statistics.
 *
 * <p>Ownership: the caller closes it, and the models.
 */
final class DriftMeter implements AutoCloseable {
    private final InferenceSession session;
    private final List<Batch> batches;

    private DriftMeter(InferenceSession session, List<Batch> batches) {
        this.session = session;
        this.batches = batches;
    }

    static DriftMeter open(Path driftModel, List<Batch> batches, SessionSettings settings) {
        return new DriftMeter(
                InferenceSession.open(
                        driftModel.toString(),
                        ProductSubstitution.of(driftModel),
                        driftModel.toAbsolutePath().getParent(),
                        settings.withHoldfastOperators()),
                batches);
    }

    /** Sums over response tokens while batches are measured. */
    private static final class Sums {
        long tokens;
        long aboveBound;
        double step;
        double bound;
        double toReference;

        void add(float[] row, double alpha) {
            double ownStep = row[LossStatistic.KL_SNAPSHOT_STUDENT.column()];
            double ownBound = alpha * row[LossStatistic.KL_SNAPSHOT_REFERENCE.column()];
            tokens++;
            aboveBound += ownStep > ownBound ? 1 : 0;
            step += ownStep;
            bound += ownBound;
            toReference += row[LossStatistic.KL_STUDENT_REFERENCE.column()];
        }
    }

    /**
     * The ledger's entry for an iteration that went from the snapshot to the student.
     *
     * @param klTotalRetention the drift from the base on other rows; null where there are none
     */
    LedgerEntry entry(
            int iteration,
            int step,
            double alpha,
            FrozenModel student,
            FrozenModel snapshot,
            FrozenModel reference,
            FrozenModel base,
            Double klTotalRetention) {
        Sums sums = sums(alpha, student, snapshot, reference);
        double total = klTotal(student, base);
        return new LedgerEntry(
                iteration,
                step,
                sums.tokens,
                sums.step / sums.tokens,
                sums.bound / sums.tokens,
                sums.bound == 0 ? null : sums.step / sums.bound,
                (double) sums.aboveBound / sums.tokens,
                total,
                klTotalRetention,
                sums.toReference / sums.tokens);
    }

    /** Loss, exact rows and drift from the base of a model on the rows. */
    RowScores score(FrozenModel model, FrozenModel base) {
        double loss = 0;
        double drift = 0;
        long tokens = 0;
        long rows = 0;
        long exact = 0;
        int width = LossStatistic.values().length;
        for (Batch batch : batches) {
            float[] statistics = statistics(batch, 0, model, base, base).toFloatArray();
            boolean[] wrong = new boolean[batch.rows().size()];
            for (int n = 0; n < batch.responseTokens(); n++) {
                loss -= statistics[n * width + LossStatistic.LABEL_LOG_PROBABILITY.column()];
                drift += statistics[n * width + LossStatistic.KL_SNAPSHOT_STUDENT.column()];
                wrong[batch.rowOf(n)] |= statistics[n * width + LossStatistic.LABEL_IS_ARGMAX.column()] == 0;
            }
            tokens += batch.responseTokens();
            rows += wrong.length;
            exact += IntStream.range(0, wrong.length).filter(row -> !wrong[row]).count();
        }
        return new RowScores(loss / tokens, (double) exact / rows, drift / tokens, tokens, rows);
    }

    /** KL(base ‖ student), the mean over the response tokens, in nats. */
    double klTotal(FrozenModel student, FrozenModel base) {
        Sums sums = sums(0, student, base, base);
        return sums.step / sums.tokens;
    }

    private Sums sums(double alpha, FrozenModel student, FrozenModel snapshot, FrozenModel reference) {
        Sums sums = new Sums();
        int width = LossStatistic.values().length;
        for (Batch batch : batches) {
            float[] statistics = statistics(batch, (float) alpha, student, snapshot, reference)
                    .toFloatArray();
            for (int row = 0; row < batch.responseTokens(); row++) {
                sums.add(Arrays.copyOfRange(statistics, row * width, (row + 1) * width), alpha);
            }
        }
        return sums;
    }

    private HostTensor statistics(
            Batch batch, float alpha, FrozenModel student, FrozenModel snapshot, FrozenModel reference) {
        Map<String, HostTensor> inputs = new LinkedHashMap<>();
        inputs.put(GraphNames.LABELS, batch.labels());
        inputs.put(GraphNames.WEIGHTS, batch.weights());
        inputs.put(GraphNames.LOSS_COEFFICIENTS, HostTensor.ofFloats(new float[] {1, 1, 0, 0.5f}, 4));
        inputs.put(GraphNames.LOSS_MODES, LossInputs.plainModes());
        inputs.put(GraphNames.ALPHAS, filled(alpha, batch.responseTokens()));
        inputs.put(GraphNames.STUDENT_HIDDEN, student.hidden(batch));
        inputs.put(GraphNames.STUDENT_HEAD, student.head());
        inputs.put(GraphNames.SNAPSHOT_HIDDEN, snapshot.hidden(batch));
        inputs.put(GraphNames.SNAPSHOT_HEAD, snapshot.head());
        inputs.put(GraphNames.REFERENCE_HIDDEN, reference.hidden(batch));
        inputs.put(GraphNames.REFERENCE_HEAD, reference.head());
        return session.run(inputs, List.of(GraphNames.STATISTICS)).get(GraphNames.STATISTICS);
    }

    private static HostTensor filled(float value, int count) {
        float[] values = new float[count];
        Arrays.fill(values, value);
        return HostTensor.ofFloats(values, count);
    }

    @Override
    public void close() {
        session.close();
    }
}
