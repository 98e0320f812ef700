package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.EmulatedCuda;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the commands say of CUDA's kernels and of the cap on the processor's; in processes of their own, for a process has one of each. */
class CudaCommandsTest {
    private static final String NOWHERE = "/nowhere/libholdfast_cuda.so";
    private static final String NOT_THERE =
            "path: expected Holdfast's CUDA kernels (libholdfast_cuda.so), got " + NOWHERE + ": ";

    @TempDir
    Path directory;

    private String said;

    private int run(String cudaLibrary, String instructionSet, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
        command.addAll(Arrays.asList(arguments));
        Path output = directory.resolve("output");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().put("HOLDFAST_CUDA_LIBRARY", cudaLibrary);
        builder.environment().put("HOLDFAST_CPU_INSTRUCTION_SET", instructionSet);
        Process process = builder.start();
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        said = Files.readString(output);
        return process.exitValue();
    }

    private int bench(String backends) throws Exception {
        String flags = "bench kernels --rows 2 --vocabulary 100 --runs 1 --threads 1 --backend " + backends;
        return run(NOWHERE, "native", flags.split(" "));
    }

    @Test
    void theDoctorTellsWhyThereAreNoCudaKernelsAndWhatCapsTheProcessors() throws Exception {
        assertThat(run(NOWHERE, "baseline", "doctor")).isZero();
        assertThat(said.lines().filter(line -> line.startsWith("cuda kernels")))
                .singleElement()
                .asString()
                .contains(NOT_THERE);
        assertThat(said).contains(", baseline (capped at baseline by HOLDFAST_CPU_INSTRUCTION_SET), ");
    }

    @Test
    void theDoctorRefusesACapThatItDoesNotKnow() throws Exception {
        assertThat(run(NOWHERE, "sse9", "doctor")).isEqualTo(ExitCode.FAILURE);
        assertThat(said)
                .startsWith(
                        "Training cannot run: HOLDFAST_CPU_INSTRUCTION_SET: name: expected baseline, avx2, avx512 or "
                                + "native, got sse9");
    }

    @Test
    void theDoctorNamesTheDevice() throws Exception {
        String emulated = EmulatedCuda.open().file().toString();
        assertThat(run(emulated, "native", "doctor")).isZero();
        assertThat(said.lines().filter(line -> line.startsWith("cuda kernels")))
                .singleElement()
                .asString()
                .contains(EmulatedCuda.open().name(), "(sm_", emulated);
        assertThat(said).doesNotContain("capped");
    }

    @Test
    void theBenchmarkOfCudaAloneEndsWithWhatIsMissing() throws Exception {
        assertThat(bench("cuda")).isEqualTo(ExitCode.FAILURE);
        assertThat(said).startsWith("error: " + NOT_THERE).hasLineCount(1);
    }

    @Test
    void theBenchmarkNamesAnAbsentBackendBesideOthers() throws Exception {
        assertThat(bench("cuda,cpu")).isZero();
        assertThat(said).contains("absent: " + NOT_THERE).containsPattern("holdfast +cpu/\\w+ +[0-9.]+ ");
    }
}
