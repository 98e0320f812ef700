package dev.holdfast.runtime;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The files a training session opens.
 *
 * @param checkpoint parameters, and the optimizer's state where training continues
 * @param trainingModel forward, loss and backward; user inputs, parameters and gradient buffers are its inputs
 * @param evalModel forward and loss, with the same parameters in the same order
 * @param optimizerModel the update; without it the session computes gradients only
 * @param expectedParameters names that the checkpoint must hold; ONNX Runtime would take a missing one for a user input without a word
 */
public record TrainingFiles(
        Path checkpoint,
        Path trainingModel,
        Optional<Path> evalModel,
        Optional<Path> optimizerModel,
        List<String> expectedParameters) {
    public TrainingFiles {
        expectedParameters = List.copyOf(expectedParameters);
    }

    /** The four files under the names that ONNX Runtime's tools give them. */
    public static TrainingFiles in(Path directory) {
        return new TrainingFiles(
                directory.resolve("checkpoint"),
                directory.resolve("training_model.onnx"),
                Optional.of(directory.resolve("eval_model.onnx")),
                Optional.of(directory.resolve("optimizer_model.onnx")),
                List.of());
    }
}
