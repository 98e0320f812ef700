package dev.holdfast.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.files.StagedDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run that goes on while its newest checkpoint is opened. */
class NewestCheckpointTest {
    @TempDir
    Path run;

    private Path checkpoint(int step) throws IOException {
        Path folder = Files.createDirectories(ModelFolder.checkpointOf(run, step));
        Files.writeString(folder.resolve(ModelFolder.MODEL), "{}");
        return folder;
    }

    private static <T> T fail(Path path) {
        throw MalformedFileException.of(path, "is gone");
    }

    @Test
    void aCheckpointThatIsRemovedMeanwhileGivesWayToTheNextOne() throws IOException {
        Path first = checkpoint(1);
        Path second = checkpoint(2);
        StagedDirectory.deleteTree(second);
        int[] attempts = {0};
        Path opened = ResponseLogits.ofNewest(run, path -> {
            if (attempts[0]++ == 0) {
                StagedDirectory.deleteTree(first);
                return fail(first);
            }
            return ModelFolder.latestCheckpoint(path).orElse(second);
        });
        assertThat(opened).isEqualTo(second);
        assertThat(attempts[0]).isEqualTo(2);
    }

    @Test
    void aCheckpointThatIsThereAndDamagedIsToldAtOnce() throws IOException {
        Path damaged = checkpoint(1);
        int[] attempts = {0};
        assertThatThrownBy(() -> ResponseLogits.ofNewest(run, path -> {
                    attempts[0]++;
                    return fail(damaged);
                }))
                .isInstanceOf(MalformedFileException.class);
        assertThat(attempts[0]).isEqualTo(1);
    }
}
