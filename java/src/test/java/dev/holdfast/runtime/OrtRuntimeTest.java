package dev.holdfast.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.error.RuntimeFailureException;
import dev.holdfast.natives.PackagedLibrary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OrtRuntimeTest {
    @TempDir
    Path folder;

    @Test
    void tellsWhatWasLoaded() {
        RuntimeFacts facts = OrtRuntime.boot().facts();
        assertThat(facts.version()).isEqualTo("1.24.1");
        assertThat(facts.buildDescription()).contains("git-commit-id=", "build type=Release");
        assertThat(facts.nativeLibrary()).isRegularFile();
        assertThat(facts.providers()).contains("CPUExecutionProvider");
    }

    @Test
    void mapsExactlyOneLibrary() {
        Path library = OrtRuntime.boot().facts().nativeLibrary();
        assertThat(MappedLibraries.named("libonnxruntime.so")).containsExactly(library);
    }

    @Test
    void everyThreadGetsTheSameOne() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        Callable<OrtRuntime> boot = OrtRuntime::boot;
        var booted = threads.invokeAll(Stream.generate(() -> boot).limit(8).toList());
        threads.shutdown();
        for (var future : booted) {
            assertThat(future.get()).isSameAs(OrtRuntime.boot());
        }
    }

    @Test
    void namesAPlatformWithoutNatives() {
        assertThatThrownBy(() -> OrtRuntime.requireSupportedPlatform("macosx-arm64"))
                .isInstanceOf(RuntimeFailureException.class)
                .hasMessageContaining("expected linux-x86_64, got macosx-arm64");
    }

    @Test
    void namesALibraryThatIsNotOnTheClassPath() {
        assertThatThrownBy(() -> PackagedLibrary.unpack("/org/bytedeco/onnxruntime/linux-x86_64/libabsent.so"))
                .isInstanceOf(RuntimeFailureException.class)
                .hasMessageContaining("libabsent.so: expected a native library on the class path, found none");
    }

    /** In a process of its own: whoever initialises ai.onnxruntime first decides which natives are loaded. */
    @Test
    void saysThatSomethingElseWasFirst() throws Exception {
        Path output = folder.resolve("output");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        LateBoot.class.getName())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        List<String> lines = Files.readAllLines(output);
        assertThat(lines).anySatisfy(line -> assertThat(line)
                .startsWith("ONNX Runtime 1.24.1: training is off: expected the natives of")
                .endsWith("something used ai.onnxruntime first: call OrtRuntime.boot() before it"));
    }

    @Test
    void countsThreadsOfOneCoreOnce() throws IOException {
        writeSiblings("cpu0", "0,2");
        writeSiblings("cpu1", "1,3");
        writeSiblings("cpu2", "0,2");
        writeSiblings("cpu3", "1,3");
        Files.createDirectories(folder.resolve("cpufreq"));
        assertThat(PhysicalCores.count(folder)).isEqualTo(2);
        assertThat(PhysicalCores.count(folder.resolve("absent"))).isZero();
        assertThat(PhysicalCores.available()).isBetween(1, Runtime.getRuntime().availableProcessors());
    }

    private void writeSiblings(String processor, String siblings) throws IOException {
        Path topology = folder.resolve(processor).resolve("topology");
        Files.createDirectories(topology);
        Files.writeString(topology.resolve("thread_siblings_list"), siblings + "\n");
    }
}
