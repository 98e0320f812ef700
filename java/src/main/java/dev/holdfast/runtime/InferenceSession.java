package dev.holdfast.runtime;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.RuntimeFailureException;
import dev.holdfast.onnx.ModelExtents;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A model that only computes forward.
 *
 * <p>Ownership: the caller closes it; tensors given to a run are read during the call only. Thread safety: several threads may run it at
 * once; closing needs that no run is under way.
 */
public final class InferenceSession implements AutoCloseable {
    private static final String EXTERNAL_DATA_FOLDER = "session.model_external_initializers_file_folder_path";

    private static final String OTHER_SHAPE = "shape verification failed";

    private final String name;
    private final OrtEnvironment environment;
    private final OrtSession.SessionOptions options;
    private final OrtSession session;
    private final ActiveAdapter adapter;
    private final List<ValueInfo> inputs;
    private final List<ValueInfo> outputs;
    private volatile boolean declaredShapesHold = true;
    private boolean closed;

    private InferenceSession(
            String name,
            OrtEnvironment environment,
            OrtSession.SessionOptions options,
            OrtSession session,
            ActiveAdapter adapter)
            throws OrtException {
        this.name = name;
        this.environment = environment;
        this.options = options;
        this.session = session;
        this.adapter = adapter;
        this.inputs = describe(session.getInputInfo());
        this.outputs = describe(session.getOutputInfo());
    }

    /**
     * Opens a model file; external data is looked up beside it.
     *
     * @throws FileAccessException if there is no such file
     * @throws dev.holdfast.error.MalformedFileException if it or its external data is truncated
     * @throws RuntimeFailureException if ONNX Runtime cannot be started or refuses the model, or the device is not available
     */
    public static InferenceSession open(Path model, SessionSettings settings) {
        return open(model, Optional.empty(), settings);
    }

    /**
     * Opens a model file whose optional inputs take their values from an adapter.
     *
     * @param adapter a file {@code .onnx_adapter}; none leaves the inputs as the model has them
     * @throws FileAccessException if there is no such file
     * @throws dev.holdfast.error.MalformedFileException if the model or its external data is truncated
     * @throws RuntimeFailureException if ONNX Runtime cannot be started or refuses model or adapter, or the device is not available
     */
    public static InferenceSession open(Path model, Optional<Path> adapter, SessionSettings settings) {
        if (!Files.isRegularFile(model)) {
            throw FileAccessException.reading(model, new NoSuchFileException(model.toString()));
        }
        ModelExtents.check(model);
        return open(
                model.toString(),
                adapter,
                settings,
                (environment, options) -> environment.createSession(model.toString(), options));
    }

    /**
     * Opens a model held in memory.
     *
     * @param name how messages call it
     * @param model the bytes of an ONNX model, needed during the call only
     * @param externalDataFolder the folder that the locations of its external data are relative to
     * @throws RuntimeFailureException if ONNX Runtime cannot be started or refuses the model, or the device is not available
     */
    public static InferenceSession open(String name, byte[] model, Path externalDataFolder, SessionSettings settings) {
        return open(name, Optional.empty(), settings, (environment, options) -> {
            options.addConfigEntry(
                    EXTERNAL_DATA_FOLDER, externalDataFolder.toAbsolutePath().toString());
            return environment.createSession(model, options);
        });
    }

    private interface Opener {
        OrtSession open(OrtEnvironment environment, OrtSession.SessionOptions options) throws OrtException;
    }

    private static InferenceSession open(String name, Optional<Path> adapter, SessionSettings settings, Opener opener) {
        OrtEnvironment environment = OrtRuntime.boot().environment();
        OrtSession.SessionOptions options = SessionOptionsFactory.create(settings);
        try {
            // ONNX Runtime names no file where it refuses an adapter, but says that it is one.
            ActiveAdapter active = adapter.isPresent() ? ActiveAdapter.read(adapter.get()) : ActiveAdapter.none();
            return new InferenceSession(name, environment, options, opener.open(environment, options), active);
        } catch (OrtException e) {
            options.close();
            throw OrtFailure.whileOpening(name, e);
        }
    }

    private static List<ValueInfo> describe(Map<String, NodeInfo> nodes) {
        return nodes.values().stream().map(InferenceSession::describe).toList();
    }

    private static ValueInfo describe(NodeInfo node) {
        if (!(node.getInfo() instanceof TensorInfo tensor)) {
            return new ValueInfo(node.getName(), Optional.empty(), Optional.empty());
        }
        List<DeclaredDimension> dimensions = new ArrayList<>();
        for (int axis = 0; axis < tensor.getShape().length; axis++) {
            long size = tensor.getShape()[axis];
            dimensions.add(
                    size >= 0
                            ? DeclaredDimension.fixed(size)
                            : DeclaredDimension.named(tensor.getDimensionNames()[axis]));
        }
        return new ValueInfo(node.getName(), OrtTensors.elementType(tensor.onnxType), Optional.of(dimensions));
    }

    /** The inputs that a run expects, in declared order. */
    public List<ValueInfo> inputs() {
        return inputs;
    }

    /** The outputs that a run can return, in declared order. */
    public List<ValueInfo> outputs() {
        return outputs;
    }

    /**
     * Runs the model. Outputs whose shape follows from the inputs are written by ONNX Runtime into the returned tensors without a copy.
     *
     * @param given exactly the tensors of {@link #inputs()}, in any order
     * @param wanted names of the outputs to return; others are not computed where nothing needs them
     * @throws InvalidInputException if an input is missing, unknown, or of another type or other dimensions
     * @throws IllegalArgumentException if there is no output of a wanted name
     * @throws RuntimeFailureException if ONNX Runtime fails
     */
    public Map<String, HostTensor> run(Map<String, HostTensor> given, Collection<String> wanted) {
        requireOpen();
        requireOutputs(wanted);
        Inputs.check(name, inputs, given, HostTensor::elementType, HostTensor::shape);
        Map<String, OnnxTensor> feeds = new LinkedHashMap<>();
        try {
            given.forEach((input, tensor) -> feeds.put(input, OrtTensors.over(environment, input, tensor)));
            return run(feeds, given, wanted);
        } catch (OrtException e) {
            throw OrtFailure.of(name, e);
        } finally {
            OnnxValue.close(feeds);
        }
    }

    private Map<String, HostTensor> run(
            Map<String, OnnxTensor> feeds, Map<String, HostTensor> given, Collection<String> wanted)
            throws OrtException {
        Map<String, HostTensor> targets = declaredShapesHold ? allocateTargets(given, wanted) : Map.of();
        try {
            return run(feeds, wanted, targets);
        } catch (OrtException e) {
            if (targets.isEmpty() || !e.getMessage().contains(OTHER_SHAPE)) {
                throw e;
            }
            // The names of the model's output dimensions say something else than its operators do.
            declaredShapesHold = false;
            return run(feeds, wanted, Map.of());
        }
    }

    private Map<String, HostTensor> run(
            Map<String, OnnxTensor> feeds, Collection<String> wanted, Map<String, HostTensor> targets)
            throws OrtException {
        Map<String, OnnxTensor> pinned = new LinkedHashMap<>();
        try {
            targets.forEach((output, tensor) -> pinned.put(output, OrtTensors.over(environment, output, tensor)));
            Set<String> rest = new LinkedHashSet<>(wanted);
            rest.removeAll(targets.keySet());
            try (OrtSession.Result result = session.run(feeds, rest, pinned, adapter.options())) {
                return collect(result, wanted, targets);
            }
        } finally {
            OnnxValue.close(pinned);
        }
    }

    private static Map<String, HostTensor> collect(
            OrtSession.Result result, Collection<String> wanted, Map<String, HostTensor> targets) {
        Map<String, HostTensor> collected = new LinkedHashMap<>();
        for (String output : wanted) {
            HostTensor target = targets.get(output);
            collected.put(
                    output,
                    target != null
                            ? target
                            : OrtTensors.copy(
                                    output, (OnnxTensor) result.get(output).orElseThrow()));
        }
        return collected;
    }

    /** Memory for those outputs whose shape the sizes of the inputs decide. */
    private Map<String, HostTensor> allocateTargets(Map<String, HostTensor> given, Collection<String> wanted) {
        Map<String, Long> sizes = new HashMap<>();
        inputs.forEach(input -> input.collectSizes(given.get(input.name()).shape(), sizes));
        Map<String, HostTensor> targets = new LinkedHashMap<>();
        for (ValueInfo output : outputs) {
            Optional<Shape> shape = output.shapeWith(sizes);
            if (wanted.contains(output.name())
                    && shape.isPresent()
                    && output.elementType().isPresent()) {
                targets.put(
                        output.name(),
                        OrtTensors.allocate(output.name(), output.elementType().get(), shape.get()));
            }
        }
        return targets;
    }

    /**
     * Runs the model on tensors of ONNX Runtime and leaves the outputs with it: nothing is copied.
     *
     * @param given exactly the tensors of {@link #inputs()}, in any order; they stay the caller's
     * @param wanted names of the outputs to return
     * @return the outputs by name, which the caller closes
     * @throws InvalidInputException if an input is missing, unknown, or of another type or other dimensions
     * @throws IllegalArgumentException if there is no output of a wanted name
     * @throws RuntimeFailureException if ONNX Runtime fails
     */
    public Map<String, RuntimeTensor> runKeeping(Map<String, RuntimeTensor> given, Collection<String> wanted) {
        requireOpen();
        requireOutputs(wanted);
        Inputs.check(name, inputs, given, RuntimeTensor::elementType, RuntimeTensor::shape);
        Map<String, OnnxTensor> feeds = new LinkedHashMap<>();
        given.forEach((input, tensor) -> feeds.put(input, tensor.tensor()));
        try {
            // The result is not closed here: its values go to the caller, and it holds nothing else.
            OrtSession.Result result = session.run(feeds, new LinkedHashSet<>(wanted), adapter.options());
            Map<String, RuntimeTensor> kept = new LinkedHashMap<>();
            for (Map.Entry<String, OnnxValue> output : result) {
                kept.put(output.getKey(), RuntimeTensor.owning(output.getKey(), (OnnxTensor) output.getValue()));
            }
            return kept;
        } catch (OrtException e) {
            throw OrtFailure.of(name, e);
        }
    }

    private void requireOutputs(Collection<String> wanted) {
        if (wanted.isEmpty()) {
            throw new IllegalArgumentException(name + ": expected at least one output to return, got none");
        }
        for (String output : wanted) {
            if (outputs.stream().noneMatch(known -> known.name().equals(output))) {
                throw new IllegalArgumentException(name + ": output " + output + ": expected one of "
                        + outputs.stream().map(ValueInfo::name).toList());
            }
        }
    }

    /**
     * Ends profiling and tells the file that holds the profile; nothing is recorded afterwards.
     *
     * @throws RuntimeFailureException if ONNX Runtime fails
     */
    public Path endProfiling() {
        requireOpen();
        try {
            return Path.of(session.endProfiling());
        } catch (OrtException e) {
            throw OrtFailure.of(name, e);
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("inference session " + name + ": expected an open one, got a closed one");
        }
    }

    /** Frees the session; closing again does nothing. Tensors that it returned stay valid. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            session.close();
        } catch (OrtException e) {
            throw OrtFailure.of(name, e);
        } finally {
            adapter.close();
            options.close();
        }
    }
}
