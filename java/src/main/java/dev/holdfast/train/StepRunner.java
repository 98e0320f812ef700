package dev.holdfast.train;

import dev.holdfast.artifact.GraphNames;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Batch;
import dev.holdfast.loss.LossStatistic;
import dev.holdfast.runtime.StepResult;
import dev.holdfast.runtime.TrainingSession;
import dev.holdfast.tensor.HostTensor;
import java.util.List;
import java.util.Map;

/** One optimizer step: the micro-batches of a global batch through the graph, then the update. */
final class StepRunner {
    private final LossInputs inputs;
    private final List<GradientPort.Parameter> parameters;
    private final TrainingSession session;
    private final Teachers teachers;
    private final AdamW optimizer;
    private GradientPort port;

    StepRunner(
            TrainingConfig config,
            List<GradientPort.Parameter> parameters,
            TrainingSession session,
            Teachers teachers,
            AdamW optimizer) {
        this.inputs = LossInputs.of(config);
        this.parameters = parameters;
        this.session = session;
        this.teachers = teachers;
        this.optimizer = optimizer;
    }

    /**
     * What a step measured.
     *
     * @param loss Σ of weight times loss: the mean over the global batch's response tokens
     * @param gradientNorm before clipping
     * @param statistics sums of the loss's statistics over the response tokens, by {@link LossStatistic#ordinal()}
     */
    record Result(double loss, double gradientNorm, double[] statistics) {}

    /** Runs a global batch; where loss or gradients are not finite, nothing is updated. */
    Result step(List<Batch> globalBatch, double learningRate) {
        session.lazyResetGrad();
        double loss = 0;
        double[] statistics = new double[LossStatistic.values().length];
        for (Batch batch : globalBatch) {
            StepResult result = session.trainStep(inputs.of(batch, teachers.snapshot(), teachers.reference()));
            loss += result.scalar(GraphNames.LOSS);
            addRows(result.output(GraphNames.STATISTICS), statistics);
            port = GradientPort.of(result.output(GraphNames.GRADIENT_PORT), parameters);
        }
        double norm = Double.isFinite(loss) ? optimizer.step(port, learningRate) : Double.NaN;
        return new Result(loss, norm, statistics);
    }

    /** Sums of the statistics of rows that are not trained on, by the cross-entropy graph. */
    double[] evaluate(List<Batch> batches, LossInputs supervised) {
        double[] statistics = new double[LossStatistic.values().length];
        for (Batch batch : batches) {
            Map<String, HostTensor> feeds = supervised.of(batch, null, null);
            addRows(session.evalStep(feeds).output(GraphNames.STATISTICS), statistics);
        }
        return statistics;
    }

    private static void addRows(HostTensor rows, double[] sums) {
        float[] values = rows.toFloatArray();
        for (int i = 0; i < values.length; i++) {
            sums[i % sums.length] += values[i];
        }
    }

    /** Starts the moments anew. */
    void restartOptimizer() {
        optimizer.restart();
    }

    /** The parameters in training; known after the first step. */
    GradientPort port() {
        return port;
    }

    AdamW optimizer() {
        return optimizer;
    }
}
