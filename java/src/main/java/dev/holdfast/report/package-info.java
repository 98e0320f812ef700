/**
 * The page that shows a run: what was asked, what came out, curves, drift and its bounds, time, settings and provenance. One file, without
 * scripts, that needs no network.
 *
 * <p>Flows in: the files of a run's folder, and nothing else, so that the page can be made again at any time. Flows out: {@code report.html}.
 * Imports {@code chart}, {@code artifact}, {@code files} and {@code error}; training has it written as it goes on.
 */
package dev.holdfast.report;
