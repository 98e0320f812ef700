package dev.holdfast.runtime;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtTrainingSession;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.error.RuntimeFailureException;
import dev.holdfast.tensor.HostTensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A model in training: {@link #trainStep} adds the gradients of a batch to the buffers, {@link #optimizerStep} applies them,
 * {@link #lazyResetGrad} makes the next step start from zero.
 *
 * <p>Ownership: the caller closes it; tensors given to a step are read during the call only. Thread safety: none, one thread at a time.
 */
public final class TrainingSession implements AutoCloseable {
    private final TrainingFiles files;
    private final OrtEnvironment environment;
    private final OrtSession.SessionOptions options;
    private final OrtTrainingSession session;
    private final TrainingSignature signature;
    private boolean learningRateSet;
    private boolean closed;

    private TrainingSession(
            TrainingFiles files,
            OrtEnvironment environment,
            OrtSession.SessionOptions options,
            OrtTrainingSession session,
            TrainingSignature signature) {
        this.files = files;
        this.environment = environment;
        this.options = options;
        this.session = session;
        this.signature = signature;
    }

    /**
     * Opens a checkpoint with its models. Holdfast's own operators are registered where a model uses them and the settings name no library.
     *
     * @throws dev.holdfast.error.FileAccessException if a file is missing or cannot be read
     * @throws MalformedFileException if a file is damaged, or training and evaluation model do not fit together
     * @throws InvalidInputException if the checkpoint lacks a parameter of the model or holds it with another type or shape
     * @throws RuntimeFailureException if ONNX Runtime cannot be started or refuses a file, or the device is not available
     */
    public static TrainingSession open(TrainingFiles files, SessionSettings settings) {
        OrtEnvironment environment = OrtRuntime.boot().environment();
        TrainingSignature signature = TrainingSignature.of(files);
        OrtSession.SessionOptions options = SessionOptionsFactory.create(withOperators(settings, signature));
        try {
            OrtTrainingSession session = environment.createTrainingSession(
                    files.checkpoint().toString(),
                    files.trainingModel().toString(),
                    files.evalModel().map(Path::toString).orElse(null),
                    files.optimizerModel().map(Path::toString).orElse(null),
                    options);
            return new TrainingSession(files, environment, options, session, signature);
        } catch (OrtException e) {
            options.close();
            throw OrtFailure.whileOpening(files.trainingModel() + " with " + files.checkpoint(), e);
        }
    }

    private static SessionSettings withOperators(SessionSettings settings, TrainingSignature signature) {
        boolean missing =
                signature.usesHoldfastOperators() && settings.operatorLibrary().isEmpty();
        return missing ? settings.withHoldfastOperators() : settings;
    }

    /** The inputs that {@link #trainStep} expects, in declared order. */
    public List<ValueInfo> trainInputs() {
        return signature.trainInputs();
    }

    /** The inputs that {@link #evalStep} expects, in declared order; empty without a model for evaluation. */
    public List<ValueInfo> evalInputs() {
        return signature.evalInputs();
    }

    /** The parameters found in the checkpoint, trainable and frozen, in the order of the training model. */
    public List<String> parameters() {
        return signature.parameters();
    }

    /**
     * Computes loss and gradients of a batch and adds the gradients to the buffers.
     *
     * @param inputs exactly the tensors of {@link #trainInputs()}, in any order
     * @throws InvalidInputException if an input is missing, unknown, or of another type or other dimensions
     * @throws RuntimeFailureException if ONNX Runtime fails
     */
    public StepResult trainStep(Map<String, HostTensor> inputs) {
        requireOpen();
        return step(files.trainingModel(), signature.trainInputs(), inputs, session::trainStep);
    }

    /**
     * Computes the outputs of the evaluation model with the present parameters.
     *
     * @param inputs exactly the tensors of {@link #evalInputs()}, in any order
     * @throws IllegalStateException if the session was opened without a model for evaluation
     * @throws InvalidInputException if an input is missing, unknown, or of another type or other dimensions
     * @throws RuntimeFailureException if ONNX Runtime fails
     */
    public StepResult evalStep(Map<String, HostTensor> inputs) {
        requireOpen();
        Path model = files.evalModel()
                .orElseThrow(() -> new IllegalStateException("evalStep: expected a session with an evaluation model"));
        return step(model, signature.evalInputs(), inputs, session::evalStep);
    }

    private interface Step {
        OrtSession.Result run(Map<String, OnnxTensor> inputs) throws OrtException;
    }

    private StepResult step(Path model, List<ValueInfo> declared, Map<String, HostTensor> inputs, Step step) {
        Inputs.check(model.toString(), declared, inputs, HostTensor::elementType, HostTensor::shape);
        Map<String, OnnxTensor> feeds = new LinkedHashMap<>();
        try {
            for (ValueInfo input : declared) {
                feeds.put(input.name(), OrtTensors.over(environment, input.name(), inputs.get(input.name())));
            }
            try (OrtSession.Result result = step.run(feeds)) {
                return new StepResult(userOutputs(result));
            }
        } catch (OrtException e) {
            throw OrtFailure.of(model.toString(), e);
        } finally {
            OnnxValue.close(feeds);
        }
    }

    private static Map<String, HostTensor> userOutputs(OrtSession.Result result) {
        Map<String, HostTensor> outputs = new LinkedHashMap<>();
        for (Map.Entry<String, OnnxValue> output : result) {
            if (!TrainingSignature.isBookkeeping(output.getKey())) {
                outputs.put(output.getKey(), OrtTensors.copy(output.getKey(), (OnnxTensor) output.getValue()));
            }
        }
        return outputs;
    }

    /**
     * Makes the next {@link #trainStep} overwrite the gradient buffers instead of adding to them.
     *
     * @throws RuntimeFailureException if ONNX Runtime fails
     */
    public void lazyResetGrad() {
        requireOpen();
        call("reset of gradients", session::lazyResetGrad);
    }

    /**
     * Sets the learning rate for the optimizer steps that follow.
     *
     * @throws IllegalStateException if the session was opened without an optimizer
     * @throws RuntimeFailureException if ONNX Runtime fails
     */
    public void setLearningRate(float learningRate) {
        requireOptimizer();
        call("learning rate", () -> session.setLearningRate(learningRate));
        learningRateSet = true;
    }

    /**
     * Applies the accumulated gradients to the parameters; the gradients stay until {@link #lazyResetGrad}.
     *
     * @throws IllegalStateException if the session was opened without an optimizer, or no learning rate was set since: ONNX Runtime would
     *     fall back to one of its own, also after loading a checkpoint
     * @throws RuntimeFailureException if ONNX Runtime fails
     */
    public void optimizerStep() {
        requireOptimizer();
        if (!learningRateSet) {
            throw new IllegalStateException(
                    "optimizerStep: expected setLearningRate before the first step of a session");
        }
        call("optimizer step", session::optimizerStep);
    }

    /**
     * Writes the parameters, and the optimizer's state where wanted, to a file. Over 2 GB the values lie in {@code <file>.data} beside it.
     *
     * <p>The file is not written atomically: a caller that must never leave half a checkpoint writes into a new folder and renames that.
     *
     * @throws IllegalStateException if the optimizer's state is wanted of a session without an optimizer
     * @throws RuntimeFailureException if the file cannot be written
     */
    public void saveCheckpoint(Path file, boolean withOptimizer) {
        requireOpen();
        if (withOptimizer) {
            requireOptimizer();
        }
        call(file.toString(), () -> session.saveCheckpoint(file, withOptimizer));
    }

    private interface OrtAction {
        void run() throws OrtException;
    }

    private static void call(String where, OrtAction action) {
        try {
            action.run();
        } catch (OrtException e) {
            throw OrtFailure.of(where, e);
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException(
                    "training session " + files.trainingModel() + ": expected an open one, got a closed one");
        }
    }

    private void requireOptimizer() {
        requireOpen();
        if (files.optimizerModel().isEmpty()) {
            throw new IllegalStateException(
                    "training session " + files.trainingModel() + ": expected an optimizer model, was opened without");
        }
    }

    /** Frees the session; closing again does nothing. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            session.close();
            options.close();
        }
    }
}
