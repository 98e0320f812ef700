package dev.holdfast.files;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;

/** Opens files as {@link FileChannel#open(Path, OpenOption...)} does; a test sees through it what is made durable. */
interface Channels {
    FileChannel open(Path file, OpenOption... options) throws IOException;
}
