package dev.holdfast.runtime;

import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Which inputs of the training and evaluation models are the user's and which are parameters, as ONNX Runtime decided when it saw the
 * checkpoint, with the types from the model files.
 */
record TrainingSignature(List<ValueInfo> trainInputs, List<ValueInfo> evalInputs, List<String> parameters) {
    private static final String GRADIENT_BUFFER_SUFFIX = "_grad.accumulation.buffer";
    private static final String ACCUMULATION_OUTPUT_SUFFIX = "_grad.accumulation.out";
    private static final String RESET_INPUT = "lazy_reset_grad";

    /** Whether an output reports that a gradient was accumulated, and carries nothing for the user. */
    static boolean isBookkeeping(String output) {
        return output.endsWith(ACCUMULATION_OUTPUT_SUFFIX);
    }

    /**
     * Sorts the inputs and refuses what ONNX Runtime would train wrongly in silence.
     *
     * @throws InvalidInputException if a parameter is missing from the checkpoint
     * @throws MalformedFileException if the evaluation model has other parameters or another order
     */
    static TrainingSignature of(
            TrainingFiles files, GraphSignature training, Optional<GraphSignature> evaluation, Collection<String> trainUserInputs) {
        requireParameters(files, training, trainUserInputs);
        List<String> parameters = parameters(training, new HashSet<>(trainUserInputs));
        List<ValueInfo> evalInputs = evaluation.map(GraphSignature::inputs).orElse(List.of());
        evaluation.ifPresent(signature -> requireSameParameters(files, parameters, signature));
        return new TrainingSignature(
                only(training.inputs(), trainUserInputs),
                evalInputs.stream().filter(input -> !parameters.contains(input.name())).toList(),
                parameters);
    }

    private static void requireParameters(TrainingFiles files, GraphSignature training, Collection<String> userInputs) {
        Set<String> expected = new HashSet<>(files.expectedParameters());
        for (ValueInfo input : training.inputs()) {
            if (input.name().endsWith(GRADIENT_BUFFER_SUFFIX)) {
                expected.add(input.name().substring(0, input.name().length() - GRADIENT_BUFFER_SUFFIX.length()));
            }
        }
        List<String> missing = userInputs.stream().filter(expected::contains).sorted().toList();
        if (!missing.isEmpty()) {
            throw new InvalidInputException(files.checkpoint() + ": expected every parameter of " + files.trainingModel() + ", got none named "
                    + abbreviate(missing) + "; checkpoint and model do not belong together");
        }
    }

    private static List<String> parameters(GraphSignature training, Set<String> userInputs) {
        return training.inputs().stream()
                .map(ValueInfo::name)
                .filter(name -> !userInputs.contains(name) && !name.endsWith(GRADIENT_BUFFER_SUFFIX) && !name.equals(RESET_INPUT))
                .toList();
    }

    /** ONNX Runtime feeds the parameters to the evaluation model by position. */
    private static void requireSameParameters(TrainingFiles files, List<String> parameters, GraphSignature evaluation) {
        Set<String> known = new HashSet<>(parameters);
        List<String> found = evaluation.inputs().stream().map(ValueInfo::name).filter(known::contains).toList();
        if (!found.equals(parameters)) {
            int first = 0;
            while (first < found.size() && found.get(first).equals(parameters.get(first))) {
                first++;
            }
            throw MalformedFileException.of(files.evalModel().orElseThrow(), "parameter " + first + ": expected " + parameters.get(first)
                    + " as in the training model, got " + (first < found.size() ? found.get(first) : "none")
                    + "; weights would be swapped: write the artifact again");
        }
    }

    private static List<ValueInfo> only(List<ValueInfo> inputs, Collection<String> namesInOrder) {
        List<ValueInfo> chosen = new ArrayList<>();
        for (String name : namesInOrder) {
            inputs.stream().filter(input -> input.name().equals(name)).forEach(chosen::add);
        }
        return List.copyOf(chosen);
    }

    private static String abbreviate(List<String> names) {
        return String.join(", ", names.subList(0, Math.min(3, names.size())))
                + (names.size() > 3 ? " and " + (names.size() - 3) + " more" : "");
    }
}
