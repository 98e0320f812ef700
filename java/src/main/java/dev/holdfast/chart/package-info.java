/**
 * Charts as pictures in SVG that need nothing else: lines, bars, points with errors. Axes have ticks at round numbers, what is missing is a
 * gap, colours suit light and dark pages and paper, and pointing at a chart tells the numbers, without any script.
 *
 * <p>Flows in: numbers and names. Flows out: text. A leaf.
 */
package dev.holdfast.chart;
