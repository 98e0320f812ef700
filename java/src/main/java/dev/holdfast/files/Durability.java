package dev.holdfast.files;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** What survives a loss of power. */
public final class Durability {
    private Durability() {}

    /** Has the disk keep what was written to a file, or the names in a folder. */
    public static void force(Path path) throws IOException {
        force(path, FileChannel::open);
    }

    static void force(Path path, Channels channels) throws IOException {
        try (FileChannel channel = channels.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
