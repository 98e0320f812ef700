package dev.holdfast.runtime;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The shared libraries mapped into this process. */
final class MappedLibraries {
    private MappedLibraries() {}

    /** Those whose file name begins with the prefix; empty where the system does not tell. */
    static List<Path> named(String prefix) {
        try (var lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.map(line -> line.indexOf('/') < 0 ? "" : line.substring(line.indexOf('/')))
                    .filter(path -> path.substring(path.lastIndexOf('/') + 1).startsWith(prefix))
                    .distinct()
                    .map(Path::of)
                    .toList();
        } catch (IOException e) {
            return List.of();
        }
    }
}
