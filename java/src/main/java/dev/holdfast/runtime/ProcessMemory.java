package dev.holdfast.runtime;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/** The resident memory of this process, which holds ONNX Runtime's buffers beside the Java heap. */
public final class ProcessMemory {
    private static final Path STATUS = Path.of("/proc/self/status");

    private static final Path PEAK_RESET = Path.of("/proc/self/clear_refs");

    private ProcessMemory() {}

    /** The most bytes that were resident at once since the process started; 0 where the system does not tell. */
    public static long peakBytes() {
        return read("VmHWM:");
    }

    /**
     * Lets {@link #peakBytes()} count from now on.
     *
     * @return the bytes that are resident now; empty where the system cannot do that
     */
    public static OptionalLong restartPeak() {
        try {
            Files.writeString(PEAK_RESET, "5");
            return OptionalLong.of(read("VmRSS:"));
        } catch (IOException e) {
            return OptionalLong.empty();
        }
    }

    private static long read(String key) {
        try (var lines = Files.lines(STATUS)) {
            return lines.filter(line -> line.startsWith(key))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                    .findFirst()
                    .orElse(0);
        } catch (IOException e) {
            return 0;
        }
    }
}
