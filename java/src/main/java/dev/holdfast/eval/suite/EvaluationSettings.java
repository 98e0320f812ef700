package dev.holdfast.eval.suite;

import dev.holdfast.error.InvalidInputException;
import dev.holdfast.eval.GenerationOptions;
import dev.holdfast.runtime.SessionSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What to evaluate and how.
 *
 * @param suites the suites, in order; at least one
 * @param model a packaged model; nothing where all responses come from elsewhere
 * @param data a file or folder of data; nothing where all suites can be generated
 * @param responses a file or folder of responses made elsewhere
 * @param limit the most questions or rows of a suite, the first ones
 * @param shots how questions are put into words
 * @param generation how responses are generated
 * @param code how code is run; nothing where none may be
 * @param punkt Punkt's parameters for English; nothing takes a stand-in of a few words
 * @param session how the model computes
 */
public record EvaluationSettings(
        List<SuiteName> suites,
        Optional<Path> model,
        Optional<Path> data,
        Optional<Path> responses,
        OptionalInt limit,
        Shots shots,
        Generation generation,
        Optional<Duration> code,
        Optional<Path> punkt,
        SessionSettings session) {
    /**
     * How questions are put into words.
     *
     * @param template whether the model's chat template does it
     * @param count answered questions shown before each
     * @param file where they come from, where there are any
     */
    public record Shots(TemplateUse template, int count, Optional<Path> file) {}

    /**
     * How responses are generated.
     *
     * @param maxNewTokens the most tokens of a response; nothing takes the suite's own limit
     * @param temperature 0 takes the likeliest token each time
     * @param seed of drawn tokens and generated questions
     * @param batchSize questions that are answered at once, at least 1
     */
    public record Generation(OptionalInt maxNewTokens, double temperature, long seed, int batchSize) {
        GenerationOptions options(SuiteName suite) {
            return new GenerationOptions(maxNewTokens.orElse(suite.maxNewTokens()), temperature, 0, 1, seed);
        }
    }

    public EvaluationSettings {
        suites = List.copyOf(suites);
    }

    /**
     * The model.
     *
     * @throws InvalidInputException if there is none
     */
    Path requireModel(SuiteName suite) {
        return model.orElseThrow(() -> new InvalidInputException(
                suite.id() + ": expected a model or responses, got neither; name a model with --model"));
    }
}
