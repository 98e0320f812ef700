package dev.holdfast.loss;

import dev.holdfast.config.Interpolation;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HalfPrecision;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.Arrays;
import java.util.Optional;

/** The loss as plainly as possible, in double precision: what the other implementations are compared with. */
final class JavaAnchorLoss implements AnchorLoss {

    @Override
    public AnchorLossResult compute(AnchorLossInputs inputs, AnchorLossOptions options, Optional<HostTensor> gradient) {
        AnchorLoss.requireComputable(inputs, gradient);
        HostTensor tokenLoss = HostTensor.allocate(ElementType.FLOAT, Shape.of(inputs.tokenCount()));
        HostTensor statistics =
                HostTensor.allocate(ElementType.FLOAT, Shape.of(inputs.tokenCount(), LossStatistic.COUNT));
        Rows rows = new Rows(inputs);
        for (int token = 0; token < inputs.tokenCount(); token++) {
            double[] row = new double[inputs.vocabularySize()];
            if (!inputs.isIgnored(token)) {
                row = computeToken(rows, options, token, tokenLoss.floats(), statistics.floats());
            }
            int start = token * inputs.vocabularySize();
            double[] values = row;
            gradient.ifPresent(target -> write(target, start, values, inputs.vocabularySize()));
        }
        return AnchorLossResult.of(inputs, tokenLoss, statistics, gradient);
    }

    /** Logits as FLOAT tensors. */
    private static final class Rows {
        final AnchorLossInputs inputs;
        final FloatBuffer student;
        final Optional<FloatBuffer> snapshot;
        final Optional<FloatBuffer> reference;
        final int width;

        Rows(AnchorLossInputs inputs) {
            this.inputs = inputs;
            this.student = HalfPrecision.toFloat(inputs.student()).floats();
            this.snapshot = inputs.snapshot()
                    .map(logits -> HalfPrecision.toFloat(logits).floats());
            this.reference = inputs.reference()
                    .map(logits -> HalfPrecision.toFloat(logits).floats());
            this.width = Math.max(
                    inputs.vocabularySize(), Math.max(columns(inputs.snapshot()), columns(inputs.reference())));
        }

        private static int columns(Optional<HostTensor> logits) {
            return logits.map(tensor -> Math.toIntExact(tensor.shape().dimension(1)))
                    .orElse(0);
        }

        double[] student(int token) {
            return row(student, token, inputs.vocabularySize());
        }

        Optional<double[]> snapshot(int token) {
            return snapshot.map(values -> row(values, token, columns(inputs.snapshot())));
        }

        Optional<double[]> reference(int token) {
            return reference.map(values -> row(values, token, columns(inputs.reference())));
        }

        private double[] row(FloatBuffer values, int token, int columns) {
            double[] row = new double[width];
            Arrays.fill(row, Double.NEGATIVE_INFINITY);
            for (int v = 0; v < columns; v++) {
                row[v] = values.get(token * columns + v);
            }
            return row;
        }
    }

    /** The gradient of the token's weighted loss. */
    private static double[] computeToken(
            Rows rows, AnchorLossOptions options, int token, FloatBuffer tokenLoss, FloatBuffer statistics) {
        double[] s = rows.student(token);
        int label = (int) rows.inputs.labels().longs().get(token);
        double[] c = rows.snapshot(token).orElse(s);
        Distribution student = Distribution.softmax(s, options.temperature());
        Distribution snapshot = Distribution.softmax(c, options.temperature());
        StatisticsRow row = new StatisticsRow(statistics, token);
        LossTerm term = LossTerm.zero(s.length);
        Optional<double[]> reference = rows.reference(token);
        if (reference.isPresent()) {
            double alpha = rows.inputs.alphas().orElseThrow().floats().get(token);
            Distribution target = Distribution.softmax(reference.get(), options.temperature());
            Distribution anchor = options.interpolation() == Interpolation.LOGIT
                    ? Distribution.softmax(mixLogits(c, reference.get(), alpha), options.temperature())
                    : Distribution.mixture(snapshot, target, alpha);
            term = term.plus(options.kdWeight(), LossTerm.divergence(options, student, anchor));
            row.putDistillation(student, snapshot, target, anchor);
        }
        if (rows.snapshot.isPresent()) {
            row.putSnapshot(student, snapshot);
        }
        term = term.plus(options.ceWeight(), LossTerm.crossEntropy(options, student, label));
        row.putStudent(student, label, firstOfHighest(s) == label);
        tokenLoss.put(token, (float) term.value());
        double scale = rows.inputs.weights().floats().get(token) / (double) options.temperature();
        return Arrays.stream(term.gradient()).map(g -> scale * g).toArray();
    }

    private static int firstOfHighest(double[] logits) {
        int highest = 0;
        for (int v = 1; v < logits.length; v++) {
            highest = logits[v] > logits[highest] ? v : highest;
        }
        return highest;
    }

    /** (1 - alpha) c + alpha r, where a side of weight 0 does not count even if it is infinite. */
    private static double[] mixLogits(double[] c, double[] r, double alpha) {
        if (alpha == 0) {
            return c;
        }
        if (alpha == 1) {
            return r;
        }
        double[] mixed = new double[c.length];
        for (int v = 0; v < mixed.length; v++) {
            boolean finite = Double.isFinite(c[v]) && Double.isFinite(r[v]);
            mixed[v] = finite ? c[v] + alpha * (r[v] - c[v]) : (1 - alpha) * c[v] + alpha * r[v];
        }
        return mixed;
    }

    private static void write(HostTensor target, int start, double[] row, int count) {
        if (target.elementType() == ElementType.FLOAT) {
            FloatBuffer floats = target.floats();
            for (int v = 0; v < count; v++) {
                floats.put(start + v, (float) row[v]);
            }
            return;
        }
        ShortBuffer bits = target.bytes().asShortBuffer();
        boolean half = target.elementType() == ElementType.FLOAT16;
        for (int v = 0; v < count; v++) {
            float value = (float) row[v];
            bits.put(start + v, half ? HalfPrecision.floatToHalf(value) : HalfPrecision.floatToBfloat(value));
        }
    }
}
