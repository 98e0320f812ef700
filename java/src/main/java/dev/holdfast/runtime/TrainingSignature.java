package dev.holdfast.runtime;

import dev.holdfast.artifact.GraphNames;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.weights.CheckpointTensor;
import dev.holdfast.weights.OrtCheckpoint;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which inputs of the training and evaluation models are the user's and which are parameters: by ONNX Runtime's rule, those whose names the
 * checkpoint holds.
 */
record TrainingSignature(
        List<ValueInfo> trainInputs,
        List<ValueInfo> evalInputs,
        List<String> parameters,
        boolean usesHoldfastOperators) {
    /** Whether an output reports that a gradient was accumulated, and carries nothing for the user. */
    static boolean isBookkeeping(String output) {
        return output.endsWith(GraphNames.GRADIENT_ADDED_SUFFIX);
    }

    /**
     * Sorts the inputs and refuses what ONNX Runtime would train wrongly in silence or refuse without a name.
     *
     * @throws MalformedFileException if a model or the checkpoint is missing or damaged, or the evaluation model does not fit
     * @throws InvalidInputException if checkpoint and model do not belong together
     */
    static TrainingSignature of(TrainingFiles files) {
        GraphSignature training = GraphSignature.read(files.trainingModel());
        Optional<GraphSignature> evaluation = files.evalModel().map(GraphSignature::read);
        files.optimizerModel().ifPresent(GraphSignature::read);
        OrtCheckpoint checkpoint = OrtCheckpoint.read(files.checkpoint());
        Map<String, CheckpointTensor> stored = new HashMap<>();
        checkpoint.frozen().forEach(tensor -> stored.put(tensor.name(), tensor));
        checkpoint.trainable().forEach(tensor -> stored.put(tensor.name(), tensor));
        requireCheckpointFits(files, training, checkpoint, stored);
        List<String> parameters = training.inputs().stream()
                .map(ValueInfo::name)
                .filter(stored::containsKey)
                .toList();
        evaluation.ifPresent(signature -> requireSameParameters(files, parameters, signature));
        return new TrainingSignature(
                userInputs(training, stored.keySet()),
                evaluation
                        .map(signature -> userInputs(signature, stored.keySet()))
                        .orElse(List.of()),
                parameters,
                training.usesHoldfastOperators()
                        || evaluation.map(GraphSignature::usesHoldfastOperators).orElse(false));
    }

    private static List<ValueInfo> userInputs(GraphSignature graph, Set<String> stored) {
        return graph.inputs().stream()
                .filter(input -> !stored.contains(input.name()))
                .filter(input -> !input.name().endsWith(GraphNames.GRADIENT_BUFFER_SUFFIX)
                        && !input.name().equals(GraphNames.LAZY_RESET_GRAD))
                .toList();
    }

    private static void requireCheckpointFits(
            TrainingFiles files,
            GraphSignature training,
            OrtCheckpoint checkpoint,
            Map<String, CheckpointTensor> stored) {
        Set<String> trained = trainedParameters(training);
        Set<String> trainable = new HashSet<>(
                checkpoint.trainable().stream().map(CheckpointTensor::name).toList());
        List<String> problems = new ArrayList<>();
        for (ValueInfo input : training.inputs()) {
            CheckpointTensor tensor = stored.get(input.name());
            boolean expected =
                    trained.contains(input.name()) || files.expectedParameters().contains(input.name());
            if (tensor == null && expected) {
                problems.add("parameter " + input.name() + ": expected " + input.description() + ", got none");
            } else if (tensor != null && !input.accepts(tensor.elementType(), tensor.shape())) {
                problems.add("parameter " + input.name() + ": expected " + input.description() + ", got "
                        + tensor.elementType() + tensor.shape());
            } else if (tensor != null && trained.contains(input.name()) != trainable.contains(input.name())) {
                problems.add("parameter " + input.name() + ": expected it to be "
                        + (trained.contains(input.name()) ? "trainable" : "frozen"));
            }
        }
        if (!problems.isEmpty()) {
            throw new InvalidInputException(files.checkpoint() + ": " + abbreviate(problems) + "; checkpoint and "
                    + files.trainingModel().getFileName() + " do not belong together");
        }
    }

    private static Set<String> trainedParameters(GraphSignature training) {
        Set<String> names = new HashSet<>();
        for (ValueInfo input : training.inputs()) {
            if (input.name().endsWith(GraphNames.GRADIENT_BUFFER_SUFFIX)) {
                names.add(
                        input.name().substring(0, input.name().length() - GraphNames.GRADIENT_BUFFER_SUFFIX.length()));
            }
        }
        return names;
    }

    /** ONNX Runtime feeds the parameters to the evaluation model by position. */
    private static void requireSameParameters(TrainingFiles files, List<String> parameters, GraphSignature evaluation) {
        Set<String> known = new HashSet<>(parameters);
        List<String> found = evaluation.inputs().stream()
                .map(ValueInfo::name)
                .filter(known::contains)
                .toList();
        if (!found.equals(parameters)) {
            int first = 0;
            while (first < found.size()
                    && first < parameters.size()
                    && found.get(first).equals(parameters.get(first))) {
                first++;
            }
            throw MalformedFileException.of(
                    files.evalModel().orElseThrow(),
                    "parameter " + first + ": expected " + at(parameters, first) + " as in the training model, got "
                            + at(found, first) + "; weights would be swapped: write the artifact again");
        }
    }

    private static String at(List<String> names, int index) {
        return index < names.size() ? names.get(index) : "none";
    }

    private static String abbreviate(List<String> problems) {
        return String.join("; ", problems.subList(0, Math.min(3, problems.size())))
                + (problems.size() > 3 ? "; and " + (problems.size() - 3) + " more" : "");
    }
}
