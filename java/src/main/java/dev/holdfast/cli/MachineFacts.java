package dev.holdfast.cli;

import com.sun.management.OperatingSystemMXBean;
import dev.holdfast.natives.CudaLibrary;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What the operating system says of the machine. */
final class MachineFacts {
    /** The instruction sets that matter to matrix products and to the loss. */
    private static final Set<String> FEATURES = Set.of(
            "avx2",
            "fma",
            "f16c",
            "avx512f",
            "avx512bw",
            "avx512_bf16",
            "avx512_fp16",
            "avx512_vnni",
            "avx_vnni",
            "amx_bf16",
            "amx_int8");

    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
    private static final Path MEMORY_INFO = Path.of("/proc/meminfo");
    private static final Path NVIDIA_DRIVER = Path.of("/proc/driver/nvidia/version");

    private MachineFacts() {}

    static String system() {
        return System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                + System.getProperty("os.arch");
    }

    static String java() {
        return System.getProperty("java.version") + " (" + System.getProperty("java.vendor") + "), "
                + System.getProperty("java.home");
    }

    static String processor() {
        return cpuInfo("model name").orElse("unknown processor") + ", "
                + Runtime.getRuntime().availableProcessors() + " cores";
    }

    /** The known instruction sets of the processor, in the order in which the system lists them. */
    static String instructionSets() {
        String known = cpuInfo("flags").stream()
                .flatMap(flags -> Arrays.stream(flags.split(" ")))
                .filter(FEATURES::contains)
                .collect(Collectors.joining(" "));
        return known.isEmpty() ? "none known" : known;
    }

    /** The limits of a container count. */
    static String memory() {
        OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        List<String> facts = lines(MEMORY_INFO);
        long total = system.getTotalMemorySize();
        boolean isLimited = total < memory(facts, "MemTotal").orElse(total);
        // Of a container's memory only what is unused is known; of the machine's also what caches would give back.
        long available =
                memory(facts, "MemAvailable").filter(bytes -> !isLimited).orElseGet(system::getFreeMemorySize);
        return gibibytes(total) + ", " + gibibytes(available) + " available; Java heap up to "
                + gibibytes(Runtime.getRuntime().maxMemory());
    }

    static String disk(Path directory) {
        try {
            return gibibytes(Files.getFileStore(directory).getUsableSpace()) + " free in " + directory;
        } catch (IOException unknown) {
            return "unknown in " + directory;
        }
    }

    static Optional<String> nvidiaDriver() {
        return lines(NVIDIA_DRIVER).stream().findFirst();
    }

    /** For example {@code NVIDIA H200 (sm_90, 139.8 GiB)}. */
    static String device(CudaLibrary.DeviceFacts device) {
        return device.name() + " (sm_" + device.computeCapability() + ", " + gibibytes(device.memoryBytes()) + ")";
    }

    /** A size in the lines of /proc/meminfo, in bytes. */
    static Optional<Long> memory(List<String> facts, String field) {
        Pattern pattern = Pattern.compile(Pattern.quote(field) + ":\\s+(\\d{1,15}) kB");
        return facts.stream()
                .map(pattern::matcher)
                .filter(Matcher::matches)
                .map(match -> Long.parseLong(match.group(1)) << 10)
                .findFirst();
    }

    private static Optional<String> cpuInfo(String field) {
        return lines(CPU_INFO).stream()
                .filter(line -> line.startsWith(field))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst();
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException absent) {
            return List.of();
        }
    }

    private static String gibibytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30));
    }
}
