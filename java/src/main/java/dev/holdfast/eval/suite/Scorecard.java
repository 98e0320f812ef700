package dev.holdfast.eval.suite;

import java.util.Map;

/**
 * What an evaluation found, as {@value #FILE} holds it.
 *
 * @param settings what was asked for, by the names of the command's flags
 * @param data the SHA-256 of every data file, by its path
 * @param suites the scores by suite, in the order in which they were asked for
 */
public record Scorecard(Map<String, Object> settings, Map<String, String> data, Map<String, SuiteScore> suites) {
    /** The file's name in the output folder. */
    public static final String FILE = "scorecard.json";
}
