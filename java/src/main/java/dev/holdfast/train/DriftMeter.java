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
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;

/**
 * Measures how far models are apart on given rows, from their hidden states and heads, with the loss operator's statistics.
 *
 * <p>Ownership: the caller closes it, and the models.
 */
final class DriftMeter implements AutoCloseable {
    private final InferenceSession session;
    private final List<Batch> batches;
    private final LossInputs terms;

    private DriftMeter(InferenceSession session, List<Batch> batches, LossInputs terms) {
        this.session = session;
        this.batches = batches;
        this.terms = terms;
    }

    /**
     * Measures on batches.
     *
     * @param terms at which temperature, and to which anchor; the divergences of the ledger are those of plain ones
     */
    static DriftMeter open(Path driftModel, List<Batch> batches, LossInputs terms, SessionSettings settings) {
        return new DriftMeter(
                InferenceSession.open(
                        driftModel.toString(),
                        ProductSubstitution.of(driftModel),
                        driftModel.toAbsolutePath().getParent(),
                        settings.withHoldfastOperators()),
                batches,
                terms);
    }

    /** Sums over response tokens while batches are measured; names as in {@link IterationDrift} and {@link LedgerEntry}. */
    private static final class Sums {
        long tokens;
        long aboveBound;
        double step;
        double stepReverse;
        double bound;
        double toReference;
        double toReferenceReverse;
        double total;
        double totalReverse;

        void addStep(float[] row, double alpha) {
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
     * Which point of an anchored run is measured.
     *
     * @param step optimizer steps done
     * @param outerIteration from 1
     * @param ended whether the iteration ends here
     * @param alpha the weight of the reference in the iteration's anchor
     */
    record Moment(int step, int outerIteration, boolean ended, double alpha) {}

    /** The four models of an anchored run. */
    record Models(FrozenModel student, FrozenModel snapshot, FrozenModel reference, FrozenModel base) {}

    /**
     * The ledger's entry for an iteration that has come from the snapshot to the student.
     *
     * @param retentionOrNull the drift from the base on other rows; null where there are none
     */
    LedgerEntry entry(Moment moment, Models models, Divergences retentionOrNull) {
        Sums sums = new Sums();
        for (Batch batch : batches) {
            addBatch(batch, moment.alpha(), models, sums);
        }
        IterationDrift iteration = new IterationDrift(
                moment.outerIteration(),
                moment.ended(),
                moment.alpha(),
                sums.step / sums.tokens,
                sums.stepReverse / sums.tokens,
                sums.bound / sums.tokens,
                sums.bound == 0 ? null : sums.step / sums.bound,
                (double) sums.aboveBound / sums.tokens,
                sums.toReference / sums.tokens,
                sums.toReferenceReverse / sums.tokens);
        Divergences target = new Divergences(sums.total / sums.tokens, sums.totalReverse / sums.tokens);
        return LedgerEntry.of(moment.step(), sums.tokens, iteration, target, retentionOrNull);
    }

    /**
     * Adds what one batch measures. The statistics of a run hold KL(c ‖ s) and KL(s ‖ r) of what stands for student s, snapshot c and
     * reference r, so that three runs with the student as s give its divergences from the three others in both directions.
     */
    private void addBatch(Batch batch, double alpha, Models models, Sums sums) {
        Views views = new Views(batch);
        View student = views.of(models.student());
        View snapshot = views.of(models.snapshot());
        View reference = views.of(models.reference());
        View base = views.of(models.base());
        forEachToken(statistics(batch, alpha, student, snapshot, reference), row -> sums.addStep(row, alpha));
        forEachToken(statistics(batch, 0, student, reference, base), row -> {
            sums.toReferenceReverse += row[LossStatistic.KL_SNAPSHOT_STUDENT.column()];
            sums.totalReverse += row[LossStatistic.KL_STUDENT_REFERENCE.column()];
        });
        forEachToken(statistics(batch, 0, student, base, snapshot), row -> {
            sums.total += row[LossStatistic.KL_SNAPSHOT_STUDENT.column()];
            sums.stepReverse += row[LossStatistic.KL_STUDENT_REFERENCE.column()];
        });
    }

    /** KL(base ‖ student) and its reverse, means over the response tokens. */
    Divergences fromBase(FrozenModel student, FrozenModel base) {
        Sums sums = new Sums();
        for (Batch batch : batches) {
            Views views = new Views(batch);
            View origin = views.of(base);
            forEachToken(statistics(batch, 0, views.of(student), origin, origin), row -> {
                sums.total += row[LossStatistic.KL_SNAPSHOT_STUDENT.column()];
                sums.totalReverse += row[LossStatistic.KL_STUDENT_REFERENCE.column()];
            });
        }
        return new Divergences(sums.total / tokens(), sums.totalReverse / tokens());
    }

    /** The response tokens that are measured. */
    long tokens() {
        return batches.stream().mapToLong(Batch::responseTokens).sum();
    }

    /**
     * KL(snapshot ‖ anchor) as a function of the weight α of the reference, the mean over the response tokens; it holds hidden states of all
     * batches. Thread safety: none.
     */
    DoubleUnaryOperator klSnapshotAnchor(FrozenModel snapshot, FrozenModel reference) {
        List<Views> views = batches.stream().map(Views::new).toList();
        return alpha -> {
            double[] sum = {0};
            for (Views batch : views) {
                View from = batch.of(snapshot);
                forEachToken(
                        statistics(batch.batch, alpha, from, from, batch.of(reference)),
                        row -> sum[0] += row[LossStatistic.KL_SNAPSHOT_ANCHOR.column()]);
            }
            return sum[0] / tokens();
        };
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
            Views views = new Views(batch);
            float[] statistics = statistics(batch, 0, views.of(model), views.of(base), views.of(base))
                    .toFloatArray();
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

    /** What a model says of the response tokens of a batch: hidden states, and the head that they are multiplied with. */
    private record View(HostTensor hidden, HostTensor head) {}

    /** The views of one batch; a model that stands in several places computes its hidden states once. */
    private static final class Views {
        private final Batch batch;
        private final Map<FrozenModel, View> known = new IdentityHashMap<>();

        Views(Batch batch) {
            this.batch = batch;
        }

        View of(FrozenModel model) {
            return known.computeIfAbsent(model, asked -> new View(asked.hidden(batch), asked.head()));
        }
    }

    private static void forEachToken(HostTensor statistics, Consumer<float[]> use) {
        float[] values = statistics.toFloatArray();
        for (int start = 0; start < values.length; start += LossStatistic.COUNT) {
            use.accept(Arrays.copyOfRange(values, start, start + LossStatistic.COUNT));
        }
    }

    private HostTensor statistics(Batch batch, double alpha, View student, View snapshot, View reference) {
        Map<String, HostTensor> inputs = new LinkedHashMap<>();
        inputs.put(GraphNames.LABELS, batch.labels());
        inputs.put(GraphNames.WEIGHTS, batch.weights());
        inputs.put(GraphNames.LOSS_COEFFICIENTS, terms.coefficients());
        inputs.put(GraphNames.LOSS_MODES, terms.modes());
        inputs.put(GraphNames.ALPHAS, LossInputs.filled((float) alpha, batch.responseTokens()));
        inputs.put(GraphNames.STUDENT_HIDDEN, student.hidden());
        inputs.put(GraphNames.STUDENT_HEAD, student.head());
        inputs.put(GraphNames.SNAPSHOT_HIDDEN, snapshot.hidden());
        inputs.put(GraphNames.SNAPSHOT_HEAD, snapshot.head());
        inputs.put(GraphNames.REFERENCE_HIDDEN, reference.hidden());
        inputs.put(GraphNames.REFERENCE_HEAD, reference.head());
        return session.run(inputs, List.of(GraphNames.STATISTICS)).get(GraphNames.STATISTICS);
    }

    @Override
    public void close() {
        session.close();
    }
}
