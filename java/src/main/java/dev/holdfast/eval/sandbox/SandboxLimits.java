package dev.holdfast.eval.sandbox;

import java.time.Duration;

/**
 * What a program may use.
 *
 * @param time processor time; from its start to its end it may take {@link #patience()}
 * @param memoryBytes address space
 * @param fileBytes the size of a file that it writes, its output included
 */
public record SandboxLimits(Duration time, long memoryBytes, long fileBytes) {
    private static final long MEBIBYTE = 1 << 20;

    /** The most time from start to end: longer than the processor time, for the machine may be busy. */
    public Duration patience() {
        return time.multipliedBy(3);
    }

    /** So much time, 2 GiB of memory, 16 MiB a file. */
    public static SandboxLimits ofTime(Duration time) {
        return new SandboxLimits(time, 2048 * MEBIBYTE, 16 * MEBIBYTE);
    }
}
