package dev.holdfast.loss;

/**
 * A part of one token's loss.
 *
 * @param value the part
 * @param gradient by the student's logits over the temperature
 */
record LossTerm(double value, double[] gradient) {
    static LossTerm zero(int size) {
        return new LossTerm(0, new double[size]);
    }

    /** This plus weight · term; a term of weight 0 does not count even if it is infinite. */
    LossTerm plus(double weight, LossTerm term) {
        if (weight == 0) {
            return this;
        }
        double[] sum = gradient.clone();
        for (int v = 0; v < sum.length; v++) {
            sum[v] += weight * term.gradient[v];
        }
        return new LossTerm(value + weight * term.value, sum);
    }

    /** The divergence between anchor and student. */
    static LossTerm divergence(AnchorLossOptions options, Distribution student, Distribution anchor) {
        return switch (options.divergence()) {
            case FORWARD_KL -> new LossTerm(anchor.divergenceFrom(student), difference(student, anchor));
            case REVERSE_KL -> new LossTerm(student.divergenceFrom(anchor), student.gradientOfDivergenceFrom(anchor));
            case JSD -> jensenShannon(student, anchor, options.beta());
        };
    }

    private static LossTerm jensenShannon(Distribution student, Distribution anchor, double beta) {
        Distribution middle = Distribution.mixture(anchor, student, 1 - beta);
        double value = beta * anchor.divergenceFrom(middle) + (1 - beta) * student.divergenceFrom(middle);
        return new LossTerm(value, scaled(student.gradientOfDivergenceFrom(middle), 1 - beta));
    }

    /** Cross-entropy on the label. */
    static LossTerm crossEntropy(AnchorLossOptions options, Distribution student, int label) {
        double weight = options.labelWeighting() == LabelWeighting.DFT ? student.probability(label) : 1;
        double[] gradient = new double[student.size()];
        if (weight == 0) {
            return new LossTerm(0, gradient);
        }
        for (int v = 0; v < gradient.length; v++) {
            gradient[v] = weight * (v == label ? Math.expm1(student.logProbability(v)) : student.probability(v));
        }
        return new LossTerm(-weight * student.logProbability(label), gradient);
    }

    private static double[] difference(Distribution p, Distribution q) {
        double[] difference = new double[p.size()];
        for (int v = 0; v < difference.length; v++) {
            difference[v] = p.probability(v) - q.probability(v);
        }
        return difference;
    }

    private static double[] scaled(double[] values, double factor) {
        double[] scaled = values.clone();
        for (int v = 0; v < scaled.length; v++) {
            scaled[v] *= factor;
        }
        return scaled;
    }
}
