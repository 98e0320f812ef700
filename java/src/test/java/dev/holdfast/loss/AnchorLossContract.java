package dev.holdfast.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.config.Divergence;
import dev.holdfast.config.Interpolation;
import dev.holdfast.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** What every implementation of the anchor loss must hold. */
abstract class AnchorLossContract {
    static final List<String> GOLDENS = GoldenLoss.FILES;

    abstract AnchorLossResult compute(AnchorLossInputs inputs, AnchorLossOptions options);

    /** The message with which a bad value is refused. */
    abstract String refusal(AnchorLossInputs inputs, AnchorLossOptions options);

    @ParameterizedTest
    @FieldSource("GOLDENS")
    void isAsCloseToTheTruthAsAnOrdinaryImplementation(String file) {
        GoldenLoss golden = GoldenLoss.read(file);
        for (int i = 0; i < golden.cases().size(); i++) {
            GoldenLoss.Case truth = golden.cases().get(i);
            AnchorLossResult ours = compute(golden.inputs(), truth.options());
            String what = file + " case " + i;
            double[] rounding = exponentRounding(golden.inputs());
            int rows = golden.inputs().tokenCount();
            assertRowsClose(
                    what + " loss",
                    truth.tokenLoss(),
                    ours.tokenLoss(),
                    truth.ordinaryError(),
                    0,
                    rounding,
                    new double[rows]);
            assertRowsClose(
                    what + " gradient",
                    truth.gradient(),
                    ours.studentGradient().orElseThrow(),
                    truth.ordinaryError(),
                    1,
                    rounding,
                    logRatioRounding(golden.inputs(), truth.options()));
            assertStatisticsClose(what, truth.statistics(), ours.statistics());
            assertThat(ours.loss())
                    .as(what)
                    .isCloseTo(truth.loss(), within(lossTolerance(golden.inputs(), truth, rounding)));
        }
    }

    /** The weighted sum of what each token's loss may err by, and one rounding to float. */
    private static double lossTolerance(AnchorLossInputs inputs, GoldenLoss.Case truth, double[] rounding) {
        double tolerance = Math.abs(truth.loss()) * 0x1p-24;
        for (int row = 0; row < inputs.tokenCount(); row++) {
            double ofToken =
                    tolerance(truth.ordinaryError()[2 * row], rounding[row] * Math.abs(truth.tokenLoss()[row]));
            tolerance += Math.abs(inputs.weights().floats().get(row)) * ofToken;
        }
        return tolerance;
    }

    /** Twice what an ordinary implementation errs by, and a rounding; an exact zero of both leaves room for a double's. */
    private static double tolerance(double ordinaryError, double rounding) {
        return 2 * ordinaryError + rounding + 1e-14;
    }

    /** Relative error of e^z in every row, where z is rounded to float: whether PyTorch's worst rounding hits the same row is chance. */
    private static double[] exponentRounding(AnchorLossInputs inputs) {
        double[] rounding = new double[inputs.tokenCount()];
        for (HostTensor logits : List.of(
                inputs.student(),
                inputs.snapshot().orElse(inputs.student()),
                inputs.reference().orElse(inputs.student()))) {
            float[] values = logits.toFloatArray();
            int width = values.length / rounding.length;
            for (int i = 0; i < values.length; i++) {
                double exponent = Float.isInfinite(values[i]) ? 0 : Math.max(16, Math.abs(values[i]));
                rounding[i / width] = Math.max(rounding[i / width], exponent * 0x1p-23);
            }
        }
        return rounding;
    }

    /**
     * Two units in the last place of a log-ratio of size 1, as the gradient w/τ·p·(log-ratio − its mean) carries them in every column:
     * a column of great p whose log-ratio is near the mean has a small gradient with that error all the same.
     */
    private static double[] logRatioRounding(AnchorLossInputs inputs, AnchorLossOptions options) {
        float[] logits = inputs.student().toFloatArray();
        int width = inputs.vocabularySize();
        double[] rounding = new double[logits.length];
        for (int row = 0; row < inputs.tokenCount(); row++) {
            double largest = Double.NEGATIVE_INFINITY;
            for (int i = row * width; i < (row + 1) * width; i++) {
                largest = Math.max(largest, logits[i]);
            }
            double mass = 0;
            for (int i = row * width; i < (row + 1) * width; i++) {
                rounding[i] = Math.exp((logits[i] - largest) / options.temperature());
                mass += rounding[i];
            }
            double scale = inputs.weights().floats().get(row) / options.temperature() / mass;
            for (int i = row * width; i < (row + 1) * width; i++) {
                rounding[i] *= scale * 0x1p-22;
            }
        }
        return rounding;
    }

    /** Twice the error of float32 PyTorch in the row, the rounding of exponents for its largest value, and what a column carries itself. */
    private static void assertRowsClose(
            String what,
            double[] truth,
            HostTensor ours,
            double[] ordinaryError,
            int column,
            double[] rounding,
            double[] ownRounding) {
        float[] values = ours.toFloatArray();
        int width = truth.length / rounding.length;
        for (int row = 0; row < rounding.length; row++) {
            double largest = Arrays.stream(truth, row * width, (row + 1) * width)
                    .map(Math::abs)
                    .max()
                    .orElse(0);
            double tolerance = tolerance(ordinaryError[2 * row + column], rounding[row] * largest);
            for (int v = 0; v < width; v++) {
                int at = row * width + v;
                assertThat((double) values[at])
                        .as(
                                "%s row %d column %d, float32 PyTorch errs by %g",
                                what, row, v, ordinaryError[2 * row + column])
                        .isCloseTo(truth[at], within(tolerance + ownRounding[at]));
            }
        }
    }

    private static void assertStatisticsClose(String what, double[] truth, HostTensor ours) {
        float[] values = ours.toFloatArray();
        for (int i = 0; i < truth.length; i++) {
            String where = what + " row " + i / LossStatistic.COUNT + " column " + i % LossStatistic.COUNT;
            if (Double.isInfinite(truth[i])) {
                assertThat(values[i]).as(where).isEqualTo((float) truth[i]);
            } else {
                // Differences of log-sum-exps carry the rounding of logits of some hundreds: half a unit in the last
                // place of 512 is 3e-5; and
                // means of log-ratios a dozen roundings of their own size.
                assertThat((double) values[i]).as(where).isCloseTo(truth[i], within(2e-5 + 2e-6 * Math.abs(truth[i])));
            }
        }
    }

    static List<AnchorLossOptions> everyOption() {
        List<AnchorLossOptions> all = new ArrayList<>();
        for (Divergence divergence : Divergence.values()) {
            for (Interpolation interpolation : Interpolation.values()) {
                all.add(new AnchorLossOptions(divergence, interpolation, LabelWeighting.NONE, 1, 1, 0, 0.5f));
                all.add(new AnchorLossOptions(divergence, interpolation, LabelWeighting.DFT, 2, 0.6f, 0.4f, 0.2f));
            }
        }
        return all;
    }

    /** Random logits with a few columns that stand out, as trained models have them. */
    static HostTensor logits(Random random, int rows, int width, double spread) {
        float[] values = new float[rows * width];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (spread * random.nextGaussian() + (random.nextInt(50) == 0 ? 8 : 0));
        }
        return HostTensor.ofFloats(values, rows, width);
    }

    static HostTensor near(HostTensor logits, Random random, double distance) {
        float[] values = logits.toFloatArray();
        for (int i = 0; i < values.length; i++) {
            values[i] += (float) (distance * random.nextGaussian());
        }
        return HostTensor.ofFloats(values, logits.shape().toArray());
    }

    static AnchorLossInputs tokens(Random random, HostTensor student, HostTensor snapshot, HostTensor reference) {
        int rows = (int) student.shape().dimension(0);
        long[] labels = random.longs(rows, 0, student.shape().dimension(1)).toArray();
        float[] weights = new float[rows];
        float[] alphas = new float[rows];
        for (int i = 0; i < rows; i++) {
            weights[i] = 0.1f + random.nextFloat();
            alphas[i] = i % 4 / 3f;
        }
        return AnchorLossInputs.ofLabels(student, HostTensor.ofLongs(labels, rows), HostTensor.ofFloats(weights, rows))
                .withSnapshot(snapshot)
                .withReference(reference, HostTensor.ofFloats(alphas, rows));
    }

    private static AnchorLossInputs randomTokens(long seed, int rows, int width) {
        Random random = new Random(seed);
        HostTensor snapshot = logits(random, rows, width, 2);
        return tokens(random, near(snapshot, random, 0.3), snapshot, near(snapshot, random, 1));
    }

    @Test
    void givesDivergencesThatAreNeverNegativeAndKeepTheBound() {
        AnchorLossInputs inputs = randomTokens(1, 8, 257);
        for (AnchorLossOptions options : everyOption()) {
            AnchorLossResult result = compute(inputs, options);
            for (int i = 0; i < 8; i++) {
                assertThat(result.statistic(i, LossStatistic.KL_ANCHOR_STUDENT)).isNotNegative();
                assertThat(result.statistic(i, LossStatistic.KL_SNAPSHOT_STUDENT))
                        .isPositive();
                assertThat(result.statistic(i, LossStatistic.KL_STUDENT_REFERENCE))
                        .isPositive();
                float alpha = inputs.alphas().orElseThrow().floats().get(i);
                float bound = alpha * result.statistic(i, LossStatistic.KL_SNAPSHOT_REFERENCE);
                assertThat(result.statistic(i, LossStatistic.KL_SNAPSHOT_ANCHOR))
                        .isBetween(0f, bound * 1.00001f + 1e-6f);
            }
        }
    }

    @Test
    void givesRowsOfTheGradientThatSumToZero() {
        AnchorLossInputs inputs = randomTokens(2, 6, 5001);
        for (AnchorLossOptions options : everyOption()) {
            float[] gradient =
                    compute(inputs, options).studentGradient().orElseThrow().toFloatArray();
            for (int row = 0; row < 6; row++) {
                double sum = 0;
                double magnitude = 0;
                for (int v = 0; v < 5001; v++) {
                    sum += gradient[row * 5001 + v];
                    magnitude += Math.abs(gradient[row * 5001 + v]);
                }
                assertThat(Math.abs(sum)).as("%s row %d", options, row).isLessThanOrEqualTo(1e-6 * magnitude);
            }
        }
    }

    @Test
    void givesNoGradientWhereTheStudentIsTheAnchor() {
        Random random = new Random(3);
        HostTensor logits = logits(random, 5, 1500, 3);
        AnchorLossInputs inputs = tokens(random, logits, near(logits, random, 0), near(logits, random, 0));
        for (AnchorLossOptions options : everyOption()) {
            if (options.ceWeight() == 0) {
                AnchorLossResult result = compute(inputs, options);
                assertThat(result.loss()).isZero();
                assertThat(result.studentGradient().orElseThrow().toFloatArray())
                        .as("%s", options)
                        .containsOnly(0f);
            }
        }
    }

    @Test
    void givesExactZerosForTokensThatTakeNoPart() {
        AnchorLossInputs inputs = randomTokens(4, 3, 40);
        inputs.labels().longs().put(1, AnchorLossInputs.IGNORE_INDEX);
        inputs.weights().floats().put(2, 0);
        AnchorLossResult result = compute(inputs, everyOption().get(1));
        float[] gradient = result.studentGradient().orElseThrow().toFloatArray();
        assertThat(Arrays.copyOfRange(gradient, 0, 40)).doesNotContain(0f);
        assertThat(Arrays.copyOfRange(gradient, 40, 120)).containsOnly(0f);
        assertThat(Arrays.copyOfRange(result.tokenLoss().toFloatArray(), 1, 3)).containsOnly(0f);
        float[] statistics = result.statistics().toFloatArray();
        assertThat(Arrays.copyOfRange(statistics, LossStatistic.COUNT, statistics.length))
                .containsOnly(0f);
    }

    @Test
    void doesNotDependOnWhichRowsAreComputedTogether() {
        AnchorLossInputs all = randomTokens(5, 4, 300);
        for (AnchorLossOptions options : everyOption()) {
            AnchorLossResult together = compute(all, options);
            for (int row = 0; row < 4; row++) {
                AnchorLossResult alone = compute(rowOf(all, row), options);
                assertThat(alone.tokenLoss().floats().get(0))
                        .isEqualTo(together.tokenLoss().floats().get(row));
                assertThat(alone.studentGradient().orElseThrow().toFloatArray())
                        .isEqualTo(Arrays.copyOfRange(
                                together.studentGradient().orElseThrow().toFloatArray(), row * 300, row * 300 + 300));
            }
        }
    }

    private static AnchorLossInputs rowOf(AnchorLossInputs inputs, int row) {
        return AnchorLossInputs.ofLabels(
                        rowOf(inputs.student(), row),
                        HostTensor.ofLongs(new long[] {inputs.labels().longs().get(row)}, 1),
                        HostTensor.ofFloats(
                                new float[] {inputs.weights().floats().get(row)}, 1))
                .withSnapshot(rowOf(inputs.snapshot().orElseThrow(), row))
                .withReference(
                        rowOf(inputs.reference().orElseThrow(), row),
                        HostTensor.ofFloats(
                                new float[] {
                                    inputs.alphas().orElseThrow().floats().get(row)
                                },
                                1));
    }

    private static HostTensor rowOf(HostTensor logits, int row) {
        int width = (int) logits.shape().dimension(1);
        return HostTensor.ofFloats(Arrays.copyOfRange(logits.toFloatArray(), row * width, (row + 1) * width), 1, width);
    }

    /** A model that says nothing, with all logits equal, has not learnt every label. Widths around the kernels' chunks. */
    @Test
    void ofEqualHighestLogitsOnlyTheFirstIsTheArgmax() {
        for (int width : new int[] {3, 1023, 1024, 2049, 5000}) {
            float[] logits = new float[4 * width];
            Arrays.fill(logits, width, 2 * width, -200);
            Arrays.fill(logits, 3 * width + width / 2, 4 * width, 300.5f);
            logits[2 * width + width - 1] = 1;
            long[] labels = {0, width - 1, width - 1, width / 2};
            AnchorLossInputs inputs = AnchorLossInputs.ofLabels(
                    HostTensor.ofFloats(logits, 4, width),
                    HostTensor.ofLongs(labels, 4),
                    HostTensor.ofFloats(new float[] {1, 1, 1, 1}, 4));
            AnchorLossOptions options = new AnchorLossOptions(
                    Divergence.FORWARD_KL, Interpolation.LOGIT, LabelWeighting.NONE, 1, 0, 1, 0.5f);
            assertThat(argmax(compute(inputs, options))).as("width %d", width).containsExactly(1, 0, 1, 1);
            inputs.labels().longs().put(0, 1).put(3, width - 1);
            assertThat(argmax(compute(inputs, options))).as("width %d", width).containsExactly(0, 0, 1, 0);
        }
    }

    private static float[] argmax(AnchorLossResult result) {
        float[] statistics = result.statistics().toFloatArray();
        float[] column = new float[statistics.length / LossStatistic.COUNT];
        for (int row = 0; row < column.length; row++) {
            column[row] = statistics[row * LossStatistic.COUNT + LossStatistic.LABEL_IS_ARGMAX.column()];
        }
        return column;
    }

    @Test
    void givesTheSameBitsOnEveryRun() {
        AnchorLossInputs inputs = randomTokens(6, 9, 1025);
        for (AnchorLossOptions options : everyOption()) {
            AnchorLossResult first = compute(inputs, options);
            AnchorLossResult second = compute(inputs, options);
            assertThat(second.studentGradient().orElseThrow().bytes())
                    .isEqualTo(first.studentGradient().orElseThrow().bytes());
            assertThat(second.statistics().bytes()).isEqualTo(first.statistics().bytes());
        }
    }

    @Test
    void refusesValuesOutOfRangeByName() {
        AnchorLossOptions options = AnchorLossOptions.anchored(Interpolation.LOGIT);
        AnchorLossInputs alpha = randomTokens(7, 2, 8);
        alpha.alphas().orElseThrow().floats().put(1, 1.5f);
        assertThat(refusal(alpha, options)).contains("alphas[1]: expected [0, 1], got 1.5");
        AnchorLossInputs label = randomTokens(7, 2, 8);
        label.labels().longs().put(0, 8);
        assertThat(refusal(label, options)).contains("labels[0]: expected [0, 8) or -100, got 8");
        AnchorLossInputs weight = randomTokens(7, 2, 8);
        weight.weights().floats().put(0, Float.POSITIVE_INFINITY);
        assertThat(refusal(weight, options)).contains("weights[0]: expected a finite number, got");
    }

    static String messageOf(Runnable call) {
        return assertThatIllegalArgumentException()
                .isThrownBy(call::run)
                .actual()
                .getMessage();
    }
}
