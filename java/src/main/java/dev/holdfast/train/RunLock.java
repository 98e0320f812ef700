package dev.holdfast.train;

import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * The right to write into the folder of a run: of all jobs, of this process and of others, at most one has it.
 *
 * <p>The system takes the lock back when a process ends, however it ends. The file stays, because a lock on a file that may be removed
 * meanwhile keeps nobody out.
 */
final class RunLock implements AutoCloseable {
    private static final String NAME = ".holdfast.lock";

    /**
     * The folders in which this process is at work. They are asked first and not the system: where a process opens a locked file once
     * more and closes it, all its locks on that file are gone.
     */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path folder;
    private final FileChannel channel;

    private RunLock(Path folder, FileChannel channel) {
        this.folder = folder;
        this.channel = channel;
    }

    /** Whether a folder holds nothing but what a lock left in it. */
    static boolean isUnused(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return false;
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.allMatch(RunLock::isLock);
        }
    }

    /** Whether this is the file of a lock. */
    static boolean isLock(Path file) {
        return file.getFileName().toString().equals(NAME);
    }

    /**
     * Makes sure that nobody is at work in a folder, which need not exist; nothing is written to one that has never been locked.
     *
     * @throws InvalidInputException if a run is at work there
     */
    static void requireNone(Path folder) {
        if (Files.exists(folder.resolve(NAME))) {
            take(folder).close();
        }
    }

    /**
     * Takes the lock, until it is closed or the process ends.
     *
     * @param path a folder that exists
     * @throws InvalidInputException if another job has it
     * @throws FileAccessException if the file cannot be written, or the file system has no locks
     */
    static RunLock take(Path path) {
        Path folder = real(path);
        if (!HELD.add(folder)) {
            throw refused(path, Long.toString(ProcessHandle.current().pid()));
        }
        FileChannel channel = null;
        try {
            channel = FileChannel.open(path.resolve(NAME), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            Optional<FileLock> lock = Optional.ofNullable(channel.tryLock());
            if (lock.isEmpty()) {
                throw refused(path, Files.readString(path.resolve(NAME)).strip());
            }
            sign(channel);
            return new RunLock(folder, channel);
        } catch (IOException e) {
            release(folder, channel);
            throw FileAccessException.writing(path.resolve(NAME), e);
        } catch (InvalidInputException e) {
            release(folder, channel);
            throw e;
        }
    }

    private static Path real(Path path) {
        try {
            return path.toRealPath();
        } catch (IOException e) {
            throw FileAccessException.reading(path, e);
        }
    }

    /** For whoever is refused: which process it is. */
    private static void sign(FileChannel channel) throws IOException {
        channel.truncate(0);
        channel.write(ByteBuffer.wrap((ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    private static InvalidInputException refused(Path path, String process) {
        String which = process.isEmpty() ? "" : " (process " + process + ")";
        return new InvalidInputException(path + ": a run is at work here" + which + "; wait for it or stop it");
    }

    private static void release(Path folder, FileChannel channel) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            throw FileAccessException.writing(folder.resolve(NAME), e);
        } finally {
            HELD.remove(folder);
        }
    }

    @Override
    public void close() {
        release(folder, channel);
    }
}
