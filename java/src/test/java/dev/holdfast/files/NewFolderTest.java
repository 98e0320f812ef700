package dev.holdfast.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.error.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NewFolderTest {
    @TempDir
    Path folder;

    @Test
    void missingAndEmptyFoldersAreFree() {
        assertThat(NewFolder.isFree(folder)).isTrue();
        assertThat(NewFolder.isFree(folder.resolve("missing"))).isTrue();
        assertThatCode(() -> NewFolder.requireFree(folder)).doesNotThrowAnyException();
    }

    @Test
    void filesAndFoldersWithContentAreNot() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        for (Path taken : new Path[] {file, folder}) {
            assertThat(NewFolder.isFree(taken)).as(taken.toString()).isFalse();
            assertThatThrownBy(() -> NewFolder.requireFree(taken))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessage("output folder: expected a new or empty folder, got " + taken
                            + ", which is not; name another one or remove it");
        }
    }
}
