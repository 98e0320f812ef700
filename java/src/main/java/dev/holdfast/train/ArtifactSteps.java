package dev.holdfast.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidConfigurationException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.NonFiniteLossException;
import dev.holdfast.files.StagedDirectory;
import dev.holdfast.runtime.ProcessMemory;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.runtime.StepResult;
import dev.holdfast.runtime.TrainingFiles;
import dev.holdfast.runtime.TrainingSession;
import dev.holdfast.tensor.HostTensor;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Trains any directory of ONNX Runtime training artifacts on tensors given by name, one optimizer step per batch at a constant learning rate.
 *
 * <p>Leaves in the output folder {@code metrics.jsonl}, a line a step, and {@code checkpoint-<steps>/checkpoint} with the optimizer's state.
 */
public final class ArtifactSteps {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private ArtifactSteps() {}

    /**
     * What to train on what.
     *
     * @param artifact directory with training_model.onnx, eval_model.onnx, optimizer_model.onnx and checkpoint
     * @param batchesName how messages call the batches, such as the file they come from
     * @param batches the tensors of step n under the names {@code <input><n>}, n from 0 without gaps
     * @param learningRate learning rate of every step, at least 0
     * @param out folder for metrics and checkpoint; must not exist or be empty
     * @param settings how to compute
     */
    public record Job(
            Path artifact,
            String batchesName,
            Map<String, HostTensor> batches,
            float learningRate,
            Path out,
            SessionSettings settings) {
        public Job {
            if (!(learningRate >= 0) || Float.isInfinite(learningRate)) {
                throw new InvalidConfigurationException(
                        List.of("learning_rate: expected a finite number >= 0, got " + learningRate));
            }
        }
    }

    /**
     * One finished step.
     *
     * @param step which, counted from 1
     * @param steps how many there are
     * @param loss the loss before the update
     * @param elapsedSeconds seconds the step took, with the update
     */
    public record Step(int step, int steps, float loss, double elapsedSeconds) {}

    /**
     * What a finished job left.
     *
     * @param losses the loss of each step before its update
     * @param checkpoint the checkpoint file
     * @param metrics the file of metrics
     */
    public record Outcome(List<Float> losses, Path checkpoint, Path metrics) {
        public Outcome {
            losses = List.copyOf(losses);
        }
    }

    /**
     * Runs all steps.
     *
     * @param listener told of every finished step
     * @throws InvalidInputException if arrays are missing, unknown, or of another type or shape than the model's inputs, checkpoint and model
     *     do not belong together, or the output folder holds something
     * @throws NonFiniteLossException if a loss is not finite; no checkpoint is written then
     * @throws FileAccessException if a file cannot be read or written
     * @throws dev.holdfast.error.MalformedFileException if a file of the artifact is damaged
     * @throws dev.holdfast.error.RuntimeFailureException if ONNX Runtime fails
     */
    public static Outcome run(Job job, Consumer<Step> listener) {
        requireUnused(job.out());
        try (TrainingSession session = TrainingSession.open(TrainingFiles.in(job.artifact()), job.settings())) {
            List<Map<String, HostTensor>> batches =
                    NumberedBatches.of(job.batchesName(), session.trainInputs(), job.batches());
            createFolder(job.out());
            return alone(session, job, batches, listener);
        }
    }

    private static Outcome alone(
            TrainingSession session, Job job, List<Map<String, HostTensor>> batches, Consumer<Step> listener) {
        RunLock lock = RunLock.take(job.out());
        try {
            // Another job may have come and gone since.
            requireUnused(job.out());
            Path metrics = job.out().resolve("metrics.jsonl");
            List<Float> losses = train(session, job, batches, metrics, listener);
            return new Outcome(losses, save(session, job.out(), batches.size()), metrics);
        } finally {
            lock.close();
        }
    }

    private static List<Float> train(
            TrainingSession session,
            Job job,
            List<Map<String, HostTensor>> batches,
            Path metrics,
            Consumer<Step> listener) {
        Float[] losses = new Float[batches.size()];
        session.setLearningRate(job.learningRate());
        try (BufferedWriter writer = Files.newBufferedWriter(metrics)) {
            for (int index = 0; index < batches.size(); index++) {
                long start = System.nanoTime();
                losses[index] = step(session, batches.get(index), index);
                Step step = new Step(index + 1, batches.size(), losses[index], (System.nanoTime() - start) * 1e-9);
                writer.write(metricsLine(step, job.learningRate()));
                writer.newLine();
                writer.flush();
                listener.accept(step);
            }
            return List.of(losses);
        } catch (IOException e) {
            throw FileAccessException.writing(metrics, e);
        }
    }

    private static float step(TrainingSession session, Map<String, HostTensor> batch, int index) {
        session.lazyResetGrad();
        StepResult result = session.trainStep(batch);
        float loss = result.loss();
        if (!Float.isFinite(loss)) {
            throw new NonFiniteLossException("step " + (index + 1) + ": loss: expected a finite number, got " + loss
                    + "; check the arrays numbered " + index
                    + " or lower the learning rate; no checkpoint was written");
        }
        session.optimizerStep();
        return loss;
    }

    private static String metricsLine(Step step, float learningRate) {
        ObjectNode line = MAPPER.createObjectNode();
        line.put("step", step.step());
        line.put("loss", step.loss());
        line.put("learning_rate", learningRate);
        line.put("elapsed_seconds", step.elapsedSeconds());
        line.put("peak_memory_bytes", ProcessMemory.peakBytes());
        return line.toString();
    }

    private static Path save(TrainingSession session, Path out, int steps) {
        try (StagedDirectory staged = StagedDirectory.forNew(out.resolve("checkpoint-" + steps))) {
            session.saveCheckpoint(staged.path().resolve("checkpoint"), true);
            staged.commit();
        }
        return out.resolve("checkpoint-" + steps).resolve("checkpoint");
    }

    private static void requireUnused(Path out) {
        if (!Files.exists(out)) {
            return;
        }
        if (!Files.isDirectory(out)) {
            throw new InvalidInputException(out + ": expected a new or empty folder, got a file");
        }
        try {
            if (!RunLock.isUnused(out)) {
                throw new InvalidInputException(
                        out + ": expected a new or empty folder, got one with content; choose another");
            }
        } catch (IOException e) {
            throw FileAccessException.reading(out, e);
        }
    }

    private static void createFolder(Path folder) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw FileAccessException.writing(folder, e);
        }
    }
}
