package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the benchmark of the loss prints and writes; how fast anything is, no test asks. */
class BenchKernelsCommandTest {
    private final ByteArrayOutputStream results = new ByteArrayOutputStream();
    private final ByteArrayOutputStream messages = new ByteArrayOutputStream();

    @TempDir
    Path directory;

    private int run(String... arguments) {
        List<String> all = new ArrayList<>(List.of("bench", "kernels", "--threads", "1", "--runs", "2"));
        all.addAll(List.of(arguments));
        Console console = new Console(
                new PrintStream(results, true, StandardCharsets.UTF_8),
                new PrintStream(messages, true, StandardCharsets.UTF_8),
                OptionalInt.empty(),
                false);
        return new Cli(console).run(all.toArray(String[]::new));
    }

    @Test
    void writesEveryCombinationWithTheKeysOfTheContract() throws IOException {
        Path json = directory.resolve("kernels.json");

        int code = run(
                "--rows",
                "2,3",
                "--vocabulary",
                "100",
                "--type",
                "fp32,bf16",
                "--backend",
                "cpu,reference",
                "--json",
                json.toString());

        assertThat(messages.toString(StandardCharsets.UTF_8)).doesNotContain("error");
        assertThat(code).isZero();
        JsonNode report = new ObjectMapper().readTree(Files.readAllBytes(json));
        assertThat(report.path("machine").path("copy_gbps").asDouble()).isPositive();
        assertThat(report.path("results")).hasSize(8);
        List<String> keys = new ArrayList<>();
        report.path("results").get(0).fieldNames().forEachRemaining(keys::add);
        assertThat(keys)
                .containsExactly(
                        "implementation",
                        "backend",
                        "isa",
                        "threads",
                        "type",
                        "divergence",
                        "interpolation",
                        "rows",
                        "vocabulary",
                        "median_ms",
                        "spread_ms",
                        "bytes",
                        "flop",
                        "copy_fraction",
                        "peak_bytes");
        assertThat(report.path("results").get(0).path("bytes").asLong()).isEqualTo(4 * 2 * 100 * 4);
        assertThat(directory.resolve("kernels.svg"))
                .content()
                .startsWith("<svg ")
                .contains("2 × 100 bf16");
    }

    @Test
    void measuresEveryVariantWithTheHead() throws IOException {
        Path json = directory.resolve("linear.json");

        int code = run("--rows", "3", "--hidden", "8", "--vocabulary", "50", "--json", json.toString());

        assertThat(code).isZero();
        JsonNode results = new ObjectMapper().readTree(Files.readAllBytes(json)).path("results");
        assertThat(results.findValuesAsText("implementation"))
                .containsExactly("holdfast-separate", "holdfast-mixed", "holdfast-frozen", "holdfast-mu");
        List<Long> flop = new ArrayList<>();
        results.forEach(result -> flop.add(result.path("flop").asLong()));
        long product = 3 * 8 * 50;
        assertThat(flop).containsExactly(10 * product, 8 * product, 6 * product, 4 * product);
        assertThat(results.get(0).path("hidden").asInt()).isEqualTo(8);
        assertThat(this.results.toString(StandardCharsets.UTF_8)).contains("3 × 8 × 50 fp32, forward_kl, logit");
    }

    @Test
    void namesVariantsThatCannotComputeTheLoss() {
        assertThat(run(
                        "--rows",
                        "2",
                        "--hidden",
                        "4",
                        "--vocabulary",
                        "10",
                        "--divergence",
                        "jsd",
                        "--interpolation",
                        "probability"))
                .isZero();
        assertThat(results.toString(StandardCharsets.UTF_8))
                .contains("absent: mixed hidden states are a mixture of logits")
                .contains("absent: the anchor's mean is enough for forward_kl alone");
    }

    @Test
    void refusesWhatTheHeadCannotHave() {
        assertThat(run("--hidden", "0", "--type", "fp16", "--backend", "java")).isEqualTo(2);
        assertThat(messages.toString(StandardCharsets.UTF_8))
                .contains("--hidden: expected 1 or more, got 0")
                .contains("--type: expected fp32 or bf16 with --hidden, got fp16")
                .contains("--backend: expected cpu or reference with --hidden, got java");
    }

    @Test
    void namesPeersThatAreNotThere() {
        assertThat(run("--rows", "2", "--vocabulary", "10", "--type", "bf16", "--peers"))
                .isZero();
        assertThat(results.toString(StandardCharsets.UTF_8))
                .contains("onnxruntime-composed")
                .contains("absent: ONNX Runtime's operators on the CPU have no kernels of bf16");
    }

    @Test
    void tellsAllWrongFlagsAtOnce() {
        assertThat(run("--rows", "0", "--type", "fp8", "--divergence", "kl", "--backend", "rocm"))
                .isEqualTo(2);
        assertThat(messages.toString(StandardCharsets.UTF_8))
                .contains("--rows: expected 1 or more, got 0")
                .contains("--type: expected fp32, fp16 or bf16, got fp8")
                .contains("--divergence: expected forward_kl, reverse_kl or jsd, got kl")
                .contains("--backend: expected cpu, reference, java or cuda, got rocm");
    }
}
