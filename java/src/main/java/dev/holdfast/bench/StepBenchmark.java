package dev.holdfast.bench;

import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.artifact.GraphNames;
import dev.holdfast.artifact.Manifest;
import dev.holdfast.artifact.TrainingForm;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.runtime.ProcessMemory;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.runtime.StepResult;
import dev.holdfast.runtime.TrainingFiles;
import dev.holdfast.runtime.TrainingSession;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.train.AdamW;
import dev.holdfast.train.GradientPort;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Measures fine-tuning steps on one batch, again and again, with the sessions and the optimizer that {@link dev.holdfast.train.Trainer}
 * uses: forward, backward, clipping at norm 1, AdamW with weight decay 0.01 and a learning rate of 1e-3.
 *
 * <p>Thread safety: none. The peak of memory is the process's, so a process measures once.
 */
public final class StepBenchmark {
    private static final AdamW.Settings OPTIMIZER = new AdamW.Settings(0.9, 0.999, 1e-8, 0.01, 1.0);
    private static final double LEARNING_RATE = 1e-3;
    private static final double NANOS_PER_SECOND = 1e9;

    /**
     * What to measure.
     *
     * @param artifact the artifact directory
     * @param batch {@code input_ids} INT64[B, T], {@code response_positions} INT64[N] and {@code labels} INT64[N] by name
     * @param warmupSteps steps before those that count, at least 0
     * @param steps steps that count, at least 1
     * @param settings how the session computes; its profile, if it writes one, covers the steps before those that count too
     */
    public record Plan(
            Path artifact, Map<String, HostTensor> batch, int warmupSteps, int steps, SessionSettings settings) {
        public Plan {
            if (warmupSteps < 0 || steps < 1) {
                throw new IllegalArgumentException(
                        "steps: expected at least 0 to warm up and 1 to measure, got " + warmupSteps + " and " + steps);
            }
        }
    }

    private final TrainingSession session;
    private final List<GradientPort.Parameter> parameters;
    private final AdamW optimizer;
    private final Map<String, HostTensor> inputs;
    private final List<Double> losses = new ArrayList<>();
    private final List<Double> gradientSeconds = new ArrayList<>();
    private final List<Double> stepSeconds = new ArrayList<>();

    private StepBenchmark(
            TrainingSession session, List<GradientPort.Parameter> parameters, Map<String, HostTensor> inputs) {
        this.session = session;
        this.parameters = parameters;
        this.optimizer = new AdamW(OPTIMIZER, parameters);
        this.inputs = inputs;
    }

    /**
     * Runs the steps.
     *
     * @throws InvalidInputException if the batch lacks an array or does not fit the model
     * @throws dev.holdfast.error.HoldfastException if the artifact cannot be read, or ONNX Runtime fails
     */
    public static StepMeasurement run(Plan plan) {
        ArtifactDirectory artifact = ArtifactDirectory.trusted(plan.artifact());
        Map<String, HostTensor> inputs = inputs(plan.batch());
        if (artifact.hasDropout()) {
            inputs.put(GraphNames.DROPOUT_KEY, HostTensor.ofLongs(new long[3], 3));
        }
        List<GradientPort.Parameter> parameters = artifact.manifest().trainable().stream()
                .map(parameter -> new GradientPort.Parameter(parameter.name(), parameter.concreteShape()))
                .toList();
        try (TrainingSession session = TrainingSession.open(files(artifact), plan.settings())) {
            long openingPeakBytes = ProcessMemory.peakBytes();
            StepBenchmark benchmark = new StepBenchmark(session, parameters, inputs);
            for (int step = 0; step < plan.warmupSteps() + plan.steps(); step++) {
                benchmark.step();
            }
            return benchmark.measurement(plan, openingPeakBytes);
        }
    }

    private static TrainingFiles files(ArtifactDirectory artifact) {
        return new TrainingFiles(
                artifact.checkpoint(),
                artifact.trainingModel(TrainingForm.SFT),
                Optional.of(artifact.evalModel(TrainingForm.SFT)),
                Optional.empty(),
                artifact.manifest().trainable().stream()
                        .map(Manifest.Parameter::name)
                        .toList());
    }

    private static Map<String, HostTensor> inputs(Map<String, HostTensor> batch) {
        Map<String, HostTensor> inputs = new LinkedHashMap<>();
        for (String name : List.of(GraphNames.INPUT_IDS, GraphNames.RESPONSE_POSITIONS, GraphNames.LABELS)) {
            inputs.put(name, array(batch, name));
        }
        int responses = Math.toIntExact(inputs.get(GraphNames.LABELS).elementCount());
        float[] weights = new float[responses];
        Arrays.fill(weights, 1f / responses);
        inputs.put(GraphNames.WEIGHTS, HostTensor.ofFloats(weights, responses));
        inputs.put(GraphNames.LOSS_COEFFICIENTS, HostTensor.ofFloats(new float[] {1, 0, 1, 0.5f}, 4));
        inputs.put(GraphNames.LOSS_MODES, HostTensor.ofLongs(new long[3], 3));
        return inputs;
    }

    private static HostTensor array(Map<String, HostTensor> batch, String name) {
        HostTensor array = batch.get(name);
        if (array == null) {
            throw new InvalidInputException("batch: expected an array " + name + ", got " + batch.keySet());
        }
        return array;
    }

    private void step() {
        long started = System.nanoTime();
        session.lazyResetGrad();
        StepResult result = session.trainStep(inputs);
        gradientSeconds.add(secondsSince(started));
        optimizer.step(GradientPort.of(result.output(GraphNames.GRADIENT_PORT), parameters), LEARNING_RATE);
        stepSeconds.add(secondsSince(started));
        losses.add((double) result.scalar(GraphNames.LOSS));
    }

    private static double secondsSince(long startedNanos) {
        return (System.nanoTime() - startedNanos) / NANOS_PER_SECOND;
    }

    private StepMeasurement measurement(Plan plan, long openingPeakBytes) {
        List<Double> counted = stepSeconds.subList(plan.warmupSteps(), stepSeconds.size());
        List<Double> gradients = gradientSeconds.subList(plan.warmupSteps(), gradientSeconds.size());
        return new StepMeasurement(
                Median.of(counted),
                counted.stream().mapToDouble(Double::doubleValue).min().orElseThrow(),
                Median.of(gradients),
                plan.steps(),
                openingPeakBytes,
                ProcessMemory.peakBytes(),
                List.copyOf(losses));
    }
}
