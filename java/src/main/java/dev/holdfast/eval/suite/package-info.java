/**
 * Evaluation by suites: benchmark data become questions, a model or a file answers them, graders judge, and a scorecard sums up.
 *
 * <p>Flows in: data files, a model or a file of responses. Flows out: a folder with {@code scorecard.json} and a file of every graded
 * response.
 * Imports {@code eval} and its graders, {@code data}, {@code artifact}, {@code files}, {@code runtime} and {@code error}.
 */
package dev.holdfast.eval.suite;
