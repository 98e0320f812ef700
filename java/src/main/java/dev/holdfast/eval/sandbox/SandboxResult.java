package dev.holdfast.eval.sandbox;

/**
 * How a program ended.
 *
 * @param passed whether it ran to its last line
 * @param reason why not: the last line of what it said on standard error, or that its time was up; empty where it passed
 */
public record SandboxResult(boolean passed, String reason) {}
