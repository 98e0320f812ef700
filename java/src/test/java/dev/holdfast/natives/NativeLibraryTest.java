package dev.holdfast.natives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class NativeLibraryTest {
    private final NativeLibrary library = NativeLibrary.load();

    @Test
    void hasTheVersionOfTheBinding() {
        assertThat(library.version()).isEqualTo(1);
    }

    @Test
    void namesItsInstructionSet() {
        assertThat(library.instructionSet()).isIn("baseline", "avx2", "avx512");
    }

    @Test
    void isMappedOnceFromTheFileThatOnnxRuntimeIsGiven() throws IOException {
        List<Path> mapped = Files.readAllLines(Path.of("/proc/self/maps")).stream()
                .filter(line -> line.endsWith("/libholdfast.so"))
                .map(line -> Path.of(line.substring(line.indexOf('/'))))
                .distinct()
                .toList();
        assertThat(mapped).hasSize(1);
        assertThat(Files.isSameFile(mapped.get(0), library.operatorLibrary())).isTrue();
    }

    @Test
    void refusesThreadCountsOutOfRange() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> library.setThreadCount(0))
                .withMessage("thread_count: expected [1, 1024], got 0");
    }
}
