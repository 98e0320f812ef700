package dev.holdfast.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.holdfast.error.FileAccessException;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.ModelFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutputFileTest {
    private static final Path FULL = Path.of("/dev/full");

    @TempDir
    Path folder;

    private Path target;

    @BeforeEach
    void anOlderFile() throws IOException {
        target = Files.writeString(folder.resolve("file"), "old");
    }

    @Test
    void aFileThatIsNotCommittedLeavesTheOlderOne() {
        try (OutputFile file = OutputFile.create(target)) {
            file.padTo(100);
        }
        assertThat(target).hasContent("old");
        assertThat(folder.resolve("file.partial")).doesNotExist();
    }

    /** The name that a file is written under leads to a device that is always full. */
    private void fillTheDisk() throws IOException {
        assumeThat(FULL).as("/dev/full, which only Linux has").exists();
        Files.createSymbolicLink(folder.resolve("file.partial"), FULL);
    }

    @Test
    void aFullDiskIsToldAndLeavesTheOlderFile() throws IOException {
        fillTheDisk();
        assertThatThrownBy(() -> OutputFile.writeWhole(target, new byte[10]))
                .isInstanceOf(FileAccessException.class)
                .hasMessage(target + ": cannot be written: No space left on device");
        assertThat(target).hasContent("old");
        assertThat(folder.resolve("file.partial")).doesNotExist();
    }

    @Test
    void graphsAreWrittenWholeOrNotAtAll() throws IOException {
        fillTheDisk();
        assertThatThrownBy(() -> ModelFile.write(new Graph("empty"), target))
                .isInstanceOf(FileAccessException.class)
                .hasMessage(target + ": cannot be written: No space left on device");
        assertThat(target).hasContent("old");
    }
}
