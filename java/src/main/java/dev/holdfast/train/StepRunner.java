package dev.holdfast.train;

import dev.holdfast.artifact.GraphNames;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Batch;
import dev.holdfast.loss.LossStatistic;
import dev.holdfast.runtime.StepResult;
import dev.holdfast.tensor.HostTensor;
import java.util.List;
import java.util.Map;

/** One optimizer step: the micro-batches of a global batch through the graph, then the update. */
final class StepRunner {
    private final LossInputs inputs;
    private final LossInputs supervised = LossInputs.supervised();
    private final Student student;
    private final Teachers teachers;

    StepRunner(TrainingConfig config, Student student, Teachers teachers) {
        this.inputs = LossInputs.of(config);
        this.student = student;
        this.teachers = teachers;
    }

    /**
     * What a step measured.
     *
     * @param loss Σ of weight times loss: the mean over the global batch's response tokens
     * @param gradientNorm before clipping
     * @param statistics sums of the loss's statistics over the response tokens, by {@link LossStatistic#column()}
     */
    record Result(double loss, double gradientNorm, double[] statistics) {
        boolean isFinite() {
            return Double.isFinite(loss) && Double.isFinite(gradientNorm);
        }
    }

    /**
     * Runs a global batch; where loss or gradients are not finite, nothing is updated.
     *
     * @param done steps before this one
     */
    Result step(int done, List<Batch> globalBatch, double learningRate) {
        student.resetGradients();
        double loss = 0;
        double[] statistics = new double[LossStatistic.values().length];
        for (int i = 0; i < globalBatch.size(); i++) {
            Map<String, HostTensor> fed =
                    inputs.of(globalBatch.get(i), teachers.alpha(), teachers.snapshot(), teachers.reference());
            StepResult result = student.accumulate(fed, done, i);
            loss += result.scalar(GraphNames.LOSS);
            addRows(result.output(GraphNames.STATISTICS), statistics);
        }
        double norm = Double.isFinite(loss) ? student.update(learningRate) : Double.NaN;
        return new Result(loss, norm, statistics);
    }

    /** Sums of the statistics of rows that are not trained on, by the cross-entropy graph. */
    double[] evaluate(List<Batch> batches) {
        double[] statistics = new double[LossStatistic.values().length];
        for (Batch batch : batches) {
            StepResult result = student.evaluate(supervised.of(batch, 0, null, null));
            addRows(result.output(GraphNames.STATISTICS), statistics);
        }
        return statistics;
    }

    private static void addRows(HostTensor rows, double[] sums) {
        float[] values = rows.toFloatArray();
        for (int i = 0; i < values.length; i++) {
            sums[i % sums.length] += values[i];
        }
    }
}
