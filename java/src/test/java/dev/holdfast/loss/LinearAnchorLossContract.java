package dev.holdfast.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.config.Divergence;
import dev.holdfast.config.Interpolation;
import dev.holdfast.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What every implementation of the loss fused with the head must hold: it is the loss of logits that are all there. */
abstract class LinearAnchorLossContract {
    /**
     * Logits below 16 are rounded to float here and in what is tested, 2⁻²¹ each time; a gradient is made of a few of them and of their
     * log-sum-exps, and of log-ratios of up to 8.
     */
    private static final double ROUNDING = 8 * 0x1p-20;

    /** Loss, statistics and gradients; no gradient by the head where the anchor is its mean. */
    record Outcome(LinearAnchorLossResult result, float[] hiddenGradient, Optional<float[]> headGradient) {}

    abstract Outcome compute(LinearAnchorLossInputs inputs, AnchorLossOptions options);

    abstract LinearAnchor.Mean mean(
            AnchorLossOptions options, LinearLogits snapshot, LinearLogits reference, HostTensor alphas);

    /** Three models of a few tokens. */
    record Models(LinearLogits student, LinearLogits snapshot, LinearLogits reference) {
        static Models random(Random random, int tokens, int hiddenSize, int vocabularySize, boolean shareHead) {
            HostTensor hidden = normal(random, 2, tokens, hiddenSize);
            HostTensor head = normal(random, 1 / Math.sqrt(hiddenSize), vocabularySize, hiddenSize);
            LinearLogits snapshot = new LinearLogits(hidden, head);
            return new Models(
                    beside(random, snapshot, 0.3, shareHead), snapshot, beside(random, snapshot, 0.7, shareHead));
        }

        private static LinearLogits beside(Random random, LinearLogits model, double distance, boolean shareHead) {
            HostTensor head = shareHead ? model.head() : AnchorLossContract.near(model.head(), random, distance / 10);
            return new LinearLogits(AnchorLossContract.near(model.hidden(), random, distance), head);
        }
    }

    private static HostTensor normal(Random random, double spread, int rows, int columns) {
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (spread * random.nextGaussian());
        }
        return HostTensor.ofFloats(values, rows, columns);
    }

    private static LinearAnchorLossInputs inputs(Random random, Models models, LinearAnchor anchor) {
        int tokens = (int) models.student.tokenCount();
        long[] labels = random.longs(tokens, 0, models.student.vocabularySize()).toArray();
        float[] weights = new float[tokens];
        float[] alphas = new float[tokens];
        for (int i = 0; i < tokens; i++) {
            weights[i] = 0.1f + random.nextFloat();
            alphas[i] = i % 4 / 3f;
        }
        return new LinearAnchorLossInputs(
                models.student,
                anchor,
                HostTensor.ofLongs(labels, tokens),
                HostTensor.ofFloats(weights, tokens),
                Optional.of(HostTensor.ofFloats(alphas, tokens)));
    }

    private static LinearAnchorLossInputs with(LinearAnchorLossInputs inputs, LinearAnchor anchor) {
        return new LinearAnchorLossInputs(inputs.student(), anchor, inputs.labels(), inputs.weights(), inputs.alphas());
    }

    private static LinearAnchor sides(Models models) {
        return new LinearAnchor.Sides(Optional.of(models.snapshot), Optional.of(models.reference));
    }

    /** Every form that can state an anchor whose models share the student's head. */
    private List<LinearAnchor> formsOf(Models models, LinearAnchorLossInputs inputs, AnchorLossOptions options) {
        List<LinearAnchor> forms = new ArrayList<>(List.of(sides(models)));
        HostTensor alphas = inputs.alphas().orElseThrow();
        if (options.interpolation() == Interpolation.LOGIT) {
            forms.add(new LinearAnchor.Mixed(Optional.of(models.snapshot), models.reference));
            forms.add(new LinearAnchor.Hidden(models.student.withHidden(mixed(models, alphas))));
        }
        if (options.divergence() == Divergence.FORWARD_KL) {
            forms.add(mean(options, models.snapshot, models.reference, alphas));
        }
        return forms;
    }

    private static HostTensor mixed(Models models, HostTensor alphas) {
        float[] snapshot = models.snapshot.hidden().toFloatArray();
        float[] reference = models.reference.hidden().toFloatArray();
        int hiddenSize = (int) models.snapshot.hiddenSize();
        for (int i = 0; i < snapshot.length; i++) {
            snapshot[i] += alphas.floats().get(i / hiddenSize) * (reference[i] - snapshot[i]);
        }
        return HostTensor.ofFloats(snapshot, models.snapshot.tokenCount(), hiddenSize);
    }

    @Test
    void isTheLossOfLogitsThatAreAllThere() {
        Random random = new Random(1);
        for (boolean shareHead : new boolean[] {true, false}) {
            Models models = Models.random(random, 9, 24, 133, shareHead);
            LinearAnchorLossInputs inputs = inputs(random, models, sides(models));
            for (AnchorLossOptions options : AnchorLossContract.everyOption()) {
                Outcome truth = composed(models, inputs, options);
                List<LinearAnchor> forms = shareHead ? formsOf(models, inputs, options) : List.of(sides(models));
                for (LinearAnchor anchor : forms) {
                    assertClose(options + " " + anchor, inputs, truth, compute(with(inputs, anchor), options), anchor);
                }
            }
        }
    }

    /** More tokens than a chunk holds, some of which take no part. */
    @Test
    void cutsManyTokensIntoChunks() {
        Random random = new Random(2);
        Models models = Models.random(random, 700, 8, 40, true);
        LinearAnchorLossInputs inputs = inputs(random, models, sides(models));
        for (int i = 0; i < 700; i += 3) {
            inputs.labels().longs().put(i, AnchorLossInputs.IGNORE_INDEX);
        }
        AnchorLossOptions options = AnchorLossOptions.anchored(Interpolation.LOGIT);
        Outcome truth = composed(models, inputs, options);
        for (LinearAnchor anchor : formsOf(models, inputs, options)) {
            assertClose("chunks " + anchor, inputs, truth, compute(with(inputs, anchor), options), anchor);
        }
    }

    @Test
    void isCrossEntropyWithoutAnyOtherModel() {
        Random random = new Random(3);
        Models models = Models.random(random, 6, 12, 50, true);
        LinearAnchorLossInputs inputs = inputs(random, models, LinearAnchor.none());
        AnchorLossOptions options =
                new AnchorLossOptions(Divergence.FORWARD_KL, Interpolation.LOGIT, LabelWeighting.NONE, 1, 0, 1, 0.5f);
        assertClose("labels", inputs, composed(models, inputs, options), compute(inputs, options), inputs.anchor());
    }

    @Test
    void hasNoGradientWhereTheStudentIsTheAnchor() {
        Random random = new Random(4);
        Models models = Models.random(random, 5, 16, 90, true);
        LinearLogits same = models.student.withHidden(AnchorLossContract.near(models.student.hidden(), random, 0));
        LinearAnchorLossInputs inputs = inputs(random, models, new LinearAnchor.Mixed(Optional.of(same), same));
        Outcome outcome = compute(inputs, AnchorLossOptions.anchored(Interpolation.LOGIT));
        assertThat(outcome.result.loss()).isZero();
        assertThat(outcome.hiddenGradient).containsOnly(0f);
        assertThat(outcome.headGradient.orElseThrow()).containsOnly(0f);
    }

    @Test
    void isZeroForTokensThatTakeNoPart() {
        Random random = new Random(5);
        Models models = Models.random(random, 3, 8, 20, true);
        LinearAnchorLossInputs inputs = inputs(random, models, sides(models));
        inputs.labels().longs().put(0, AnchorLossInputs.IGNORE_INDEX);
        inputs.weights().floats().put(2, 0);
        Outcome outcome = compute(inputs, AnchorLossContract.everyOption().get(1));
        float[] tokenLoss = outcome.result.tokenLoss().toFloatArray();
        assertThat(tokenLoss[1]).isPositive();
        assertThat(new float[] {tokenLoss[0], tokenLoss[2]}).containsOnly(0f);
        assertThat(Arrays.copyOfRange(outcome.hiddenGradient, 0, 8)).containsOnly(0f);
        assertThat(Arrays.copyOfRange(outcome.hiddenGradient, 8, 16)).doesNotContain(0f);
        assertThat(Arrays.copyOfRange(outcome.hiddenGradient, 16, 24)).containsOnly(0f);
    }

    /** The loss on materialised logits in double precision, and products of its gradient. */
    private static Outcome composed(Models models, LinearAnchorLossInputs inputs, AnchorLossOptions options) {
        AnchorLossInputs tokens = AnchorLossInputs.ofLabels(logits(models.student), inputs.labels(), inputs.weights());
        if (inputs.anchor().referenceSide().isPresent()) {
            tokens = tokens.withSnapshot(logits(models.snapshot))
                    .withReference(logits(models.reference), inputs.alphas().orElseThrow());
        }
        AnchorLossResult result = AnchorLoss.create(AnchorLoss.Backend.JAVA).compute(tokens, options);
        float[] gradient = result.studentGradient().orElseThrow().toFloatArray();
        int n = (int) models.student.tokenCount();
        int h = (int) models.student.hiddenSize();
        int v = (int) models.student.vocabularySize();
        float[] head = models.student.head().toFloatArray();
        float[] hidden = models.student.hidden().toFloatArray();
        double[] byHidden = new double[n * h];
        double[] byHead = new double[v * h];
        for (int i = 0; i < n * v * h; i++) {
            int row = i / (v * h);
            int column = i / h % v;
            byHidden[row * h + i % h] += (double) gradient[row * v + column] * head[column * h + i % h];
            byHead[column * h + i % h] += (double) gradient[row * v + column] * hidden[row * h + i % h];
        }
        return new Outcome(
                new LinearAnchorLossResult(result.loss(), result.tokenLoss(), result.statistics()),
                floats(byHidden),
                Optional.of(floats(byHead)));
    }

    private static HostTensor logits(LinearLogits model) {
        int n = (int) model.tokenCount();
        int v = (int) model.vocabularySize();
        int h = (int) model.hiddenSize();
        float[] hidden = model.hidden().toFloatArray();
        float[] head = model.head().toFloatArray();
        double[] logits = new double[n * v];
        for (int i = 0; i < n * v * h; i++) {
            logits[i / h] += (double) hidden[i / (v * h) * h + i % h] * head[i / h % v * h + i % h];
        }
        return HostTensor.ofFloats(floats(logits), n, v);
    }

    private static float[] floats(double[] values) {
        float[] rounded = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            rounded[i] = (float) values[i];
        }
        return rounded;
    }

    private static void assertClose(
            String what, LinearAnchorLossInputs inputs, Outcome truth, Outcome ours, LinearAnchor anchor) {
        double weight = largest(inputs.weights().toFloatArray());
        assertThat(ours.result.tokenLoss().toFloatArray())
                .as(what + " loss")
                .containsExactly(truth.result.tokenLoss().toFloatArray(), within((float) (4 * ROUNDING)));
        // Rows of gradients sum to at most 2 of the weight in magnitude; what they are multiplied with is of order 1 to
        // 8.
        double byHidden =
                2 * weight * ROUNDING * largest(inputs.student().head().toFloatArray());
        assertThat(ours.hiddenGradient)
                .as(what + " hidden gradient")
                .containsExactly(truth.hiddenGradient, within((float) byHidden));
        double byHead =
                2 * weight * ROUNDING * largest(inputs.student().hidden().toFloatArray());
        ours.headGradient.ifPresent(gradient -> assertThat(gradient)
                .as(what + " head gradient")
                .containsExactly(truth.headGradient.orElseThrow(), within((float) byHead)));
        assertThat(ours.headGradient.isEmpty()).isEqualTo(anchor instanceof LinearAnchor.Mean);
        assertStatisticsClose(what, truth.result, ours.result, anchor);
    }

    private static void assertStatisticsClose(
            String what, LinearAnchorLossResult truth, LinearAnchorLossResult ours, LinearAnchor anchor) {
        for (LossStatistic statistic : LossStatistic.values()) {
            boolean given = anchor instanceof LinearAnchor.Sides
                    || switch (statistic) {
                        case KL_ANCHOR_STUDENT,
                                STUDENT_ENTROPY,
                                STUDENT_LOG_SUM_EXP,
                                LABEL_LOG_PROBABILITY,
                                LABEL_IS_ARGMAX -> true;
                        default -> false;
                    };
            for (int token = 0; token < truth.tokenLoss().elementCount(); token++) {
                float expected = given ? truth.statistic(token, statistic) : 0;
                assertThat(ours.statistic(token, statistic))
                        .as("%s %s of token %d", what, statistic, token)
                        .isCloseTo(expected, within((float) (4 * ROUNDING)));
            }
        }
    }

    private static double largest(float[] values) {
        double largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }
}
