package dev.holdfast.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The caches of this machine's first processor, as Linux tells them. */
final class ProcessorCache {
    private static final Path FOLDER = Path.of("/sys/devices/system/cpu/cpu0/cache");
    private static final long USUAL_BYTES = 64L << 20;

    private ProcessorCache() {}

    /** Bytes of the largest one; a usual size where the system does not tell. */
    static long largestBytes() {
        try (Stream<Path> caches = Files.list(FOLDER)) {
            return caches.map(cache -> cache.resolve("size"))
                    .filter(Files::isReadable)
                    .mapToLong(ProcessorCache::read)
                    .max()
                    .orElse(USUAL_BYTES);
        } catch (IOException e) {
            return USUAL_BYTES;
        }
    }

    /** For example {@code 32768K}. */
    private static long read(Path file) {
        try {
            String text = Files.readString(file).strip();
            long number = Long.parseLong(text.replaceAll("\\D", ""));
            return text.endsWith("K") ? number << 10 : text.endsWith("M") ? number << 20 : number;
        } catch (IOException | NumberFormatException e) {
            return 0;
        }
    }
}
