package dev.holdfast.files;

import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidInputException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * A directory that is written beside its final place and renamed when it is complete, so that nobody ever reads half of it.
 *
 * <p>What a killed process left behind ends in {@value #SUFFIX} and is removed by the next attempt. Ownership: closing without
 * {@link #commit()} removes what was written.
 */
public final class StagedDirectory implements AutoCloseable {
    private static final String SUFFIX = OutputFile.PARTIAL_SUFFIX;

    private final Path target;
    private final Path staging;
    private final Channels channels;
    private boolean committed;

    private StagedDirectory(Path target, Path staging, Channels channels) {
        this.target = target;
        this.staging = staging;
        this.channels = channels;
    }

    /**
     * Starts a directory that must not exist yet, or be empty.
     *
     * @throws InvalidInputException if there is something at the target
     * @throws FileAccessException if nothing can be written there
     */
    public static StagedDirectory forNew(Path target) {
        return forNew(target, FileChannel::open);
    }

    static StagedDirectory forNew(Path target, Channels channels) {
        try {
            NewFolder.requireFree(target);
            Path absolute = target.toAbsolutePath().normalize();
            Path staging = partialOf(absolute);
            deleteTree(staging);
            Files.createDirectories(staging);
            return new StagedDirectory(absolute, staging, channels);
        } catch (IOException e) {
            throw FileAccessException.writing(target, e);
        }
    }

    /** The name that a directory has until it is complete, and while it is removed. */
    public static Path partialOf(Path directory) {
        return directory.resolveSibling(directory.getFileName() + SUFFIX);
    }

    /** Whether this is the name of a directory that was never completed. */
    public static boolean isPartial(Path directory) {
        return directory.getFileName().toString().endsWith(SUFFIX);
    }

    /** Where to write until {@link #commit()}. */
    public Path path() {
        return staging;
    }

    /**
     * Makes everything durable and renames the directory to its final place.
     *
     * @return the final place
     * @throws FileAccessException if the disk refuses
     */
    public Path commit() {
        try {
            for (Path file : files(staging)) {
                Durability.force(file, channels);
            }
            Files.deleteIfExists(target);
            Files.move(staging, target, StandardCopyOption.ATOMIC_MOVE);
            committed = true;
            Durability.force(target.getParent(), channels);
            return target;
        } catch (IOException e) {
            throw FileAccessException.writing(target, e);
        }
    }

    private static List<Path> files(Path root) throws IOException {
        try (Stream<Path> tree = Files.walk(root)) {
            return tree.toList();
        }
    }

    /** Removes what was written, unless it was committed. */
    @Override
    public void close() {
        if (!committed) {
            deleteTree(staging);
        }
    }

    /**
     * Removes a directory with all that is in it; a missing one is no error.
     *
     * @throws FileAccessException if something cannot be removed
     */
    public static void deleteTree(Path root) {
        if (!Files.exists(root, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (Stream<Path> tree = Files.walk(root)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw FileAccessException.writing(root, e);
        }
    }
}
