package dev.holdfast.runtime;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/** Counts processor cores: a second thread of one core adds nothing to matrix products. */
final class PhysicalCores {
    private PhysicalCores() {}

    /** Cores that this process may use, at least 1; honours the limits of a container. */
    static int available() {
        int logical = Runtime.getRuntime().availableProcessors();
        int physical = count(Path.of("/sys/devices/system/cpu"));
        return physical == 0 ? logical : Math.min(physical, logical);
    }

    /** Distinct sets of threads that share a core, or 0 where the system does not tell. */
    static int count(Path processors) {
        Set<String> cores = new HashSet<>();
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(processors, "cpu[0-9]*")) {
            for (Path folder : folders) {
                Path siblings = folder.resolve("topology/thread_siblings_list");
                if (Files.exists(siblings)) {
                    cores.add(Files.readString(siblings));
                }
            }
            return cores.size();
        } catch (IOException e) {
            return 0;
        }
    }
}
