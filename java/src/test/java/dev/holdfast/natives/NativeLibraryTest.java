package dev.holdfast.natives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.error.RuntimeFailureException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibraryTest {
    private final NativeLibrary library = NativeLibrary.load();

    @Test
    void hasTheVersionOfTheBinding() {
        assertThat(library.version()).isEqualTo(1);
    }

    @Test
    void refusesAnotherVersion() {
        assertThatThrownBy(() -> NativeLibrary.requireVersion(2))
                .isInstanceOf(RuntimeFailureException.class)
                .hasMessage(
                        "Holdfast's native library: expected version 1, got 2; another build of libholdfast.so is on the "
                                + "class path or the library path");
    }

    /** In a process of its own, in which a function of another library comes before the library's own. */
    @Test
    void isNotLoadedInAnotherVersion(@TempDir Path folder) throws Exception {
        Path other = folder.resolve("libother.so");
        Path source = Files.writeString(folder.resolve("other.c"), "int hf_version(void) { return 2; }\n");
        run(folder, "cc", "-shared", "-fPIC", "-o", other.toString(), source.toString());
        List<String> lines = run(
                folder,
                "env",
                "LD_PRELOAD=" + other,
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                LibraryVersion.class.getName());
        assertThat(lines).anySatisfy(line -> assertThat(line)
                .startsWith("Holdfast's native library: expected version 1, got 2"));
    }

    private static List<String> run(Path folder, String... command) throws IOException, InterruptedException {
        Path output = folder.resolve("output");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return Files.readAllLines(output);
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
