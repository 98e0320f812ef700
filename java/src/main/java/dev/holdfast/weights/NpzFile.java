package dev.holdfast.weights;

import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.tensor.HostTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** Reads numpy's {@code .npz} archives. */
public final class NpzFile {
    private static final String ARRAY_SUFFIX = ".npy";
    private static final long MAXIMUM_INFLATION = 1_032;

    private NpzFile() {}

    /**
     * All arrays of an archive by name, in the order of the archive.
     *
     * <p>Takes little-endian float16, float32, float64, int32, int64, and uint8 and bool, in C order, stored or deflated.
     *
     * @throws FileAccessException if the file cannot be read
     * @throws MalformedFileException if the file is corrupt or no archive, or an array is of another type or order
     */
    public static Map<String, HostTensor> read(Path path) {
        if (!Files.exists(path)) {
            throw FileAccessException.reading(path, new NoSuchFileException(path.toString()));
        }
        try (ZipFile archive = new ZipFile(path.toFile())) {
            Map<String, HostTensor> arrays = new LinkedHashMap<>();
            List<? extends ZipEntry> entries = Collections.list(archive.entries());
            requireDisjoint(path, entries);
            for (ZipEntry entry : entries) {
                readEntry(path, archive, entry, arrays);
            }
            return arrays;
        } catch (IOException | IllegalArgumentException e) {
            // The zip library answers some faults of a file, such as names that are no text, with an
            // IllegalArgumentException.
            throw MalformedFileException.of(path, "expected an archive as numpy.savez writes it: " + e.getMessage(), e);
        }
    }

    /** Entries that share bytes would let a small file fill any memory. */
    private static void requireDisjoint(Path path, List<? extends ZipEntry> entries) throws IOException {
        long packed = entries.stream()
                .mapToLong(entry -> Math.max(0, entry.getCompressedSize()))
                .sum();
        if (packed > Files.size(path)) {
            throw MalformedFileException.of(
                    path, "expected entries of at most " + Files.size(path) + " packed bytes in all, got " + packed);
        }
    }

    private static void readEntry(Path path, ZipFile archive, ZipEntry entry, Map<String, HostTensor> arrays)
            throws IOException {
        String fileName = entry.getName();
        if (!fileName.endsWith(ARRAY_SUFFIX)) {
            throw MalformedFileException.of(
                    path, "entry " + fileName + ": expected a name that ends in " + ARRAY_SUFFIX + ", got another");
        }
        String name = fileName.substring(0, fileName.length() - ARRAY_SUFFIX.length());
        long size = plausibleSize(path, entry);
        try (CheckedInputStream content = new CheckedInputStream(archive.getInputStream(entry), new CRC32())) {
            HostTensor array = NpyArray.read(path, name, content, size);
            requireChecksum(path, name, entry, content.getChecksum().getValue());
            if (arrays.put(name, array) != null) {
                throw MalformedFileException.of(path, "array " + name + ": expected once, got it twice");
            }
        }
    }

    /** Of an entry that has been read to its end; the zip library leaves this to its callers. */
    private static void requireChecksum(Path path, String name, ZipEntry entry, long got) {
        if (got != entry.getCrc()) {
            throw MalformedFileException.of(
                    path,
                    String.format(
                            "array %s: corrupt: expected CRC-32 %08x, got %08x; copy or save the file again",
                            name, entry.getCrc(), got));
        }
    }

    /** A size that deflate cannot reach is a lie, and memory must not be set aside for it. */
    private static long plausibleSize(Path path, ZipEntry entry) {
        long packed = Math.max(0, entry.getCompressedSize());
        if (entry.getSize() < 0 || entry.getSize() > (packed + 1) * MAXIMUM_INFLATION) {
            throw MalformedFileException.of(
                    path,
                    "entry " + entry.getName() + ": expected at most " + MAXIMUM_INFLATION + " times its " + packed
                            + " packed bytes, got " + entry.getSize());
        }
        return entry.getSize();
    }
}
