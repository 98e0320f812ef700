package dev.holdfast.files;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What survives a power failure: bytes are on the disk before the name that says they are whole, and then the name. */
class DurabilityTest {
    @TempDir
    Path root;

    private Path target;

    private final List<String> forced = new ArrayList<>();

    @BeforeEach
    void nameTheTarget() throws IOException {
        target = Files.createDirectory(root.resolve("folder")).resolve("target");
    }

    private final Channels watched = (path, options) -> {
        String name = root.relativize(path).toString();
        return new WatchedChannel(
                FileChannel.open(path, options),
                () -> forced.add(name + (Files.exists(target) ? " after" : " before")));
    };

    @Test
    void aFileIsForcedBeforeItHasItsNameAndTheFolderAfterwards() {
        try (OutputFile file = OutputFile.create(target, watched)) {
            file.write(ByteBuffer.wrap(new byte[10]));
            assertThat(forced).isEmpty();
            file.commit();
        }
        assertThat(forced).containsExactly("folder/target.partial before", "folder after");
    }

    @Test
    void everythingInAStagedDirectoryIsForcedBeforeItHasItsNameAndTheFolderAfterwards() throws IOException {
        try (StagedDirectory staged = StagedDirectory.forNew(target, watched)) {
            Files.createDirectory(staged.path().resolve("inner"));
            Files.writeString(staged.path().resolve("inner/file"), "content");
            Files.writeString(staged.path().resolve("other"), "content");
            assertThat(forced).isEmpty();
            staged.commit();
        }
        assertThat(forced)
                .containsExactlyInAnyOrder(
                        "folder/target.partial before",
                        "folder/target.partial/inner before",
                        "folder/target.partial/inner/file before",
                        "folder/target.partial/other before",
                        "folder after")
                .endsWith("folder after");
    }
}
