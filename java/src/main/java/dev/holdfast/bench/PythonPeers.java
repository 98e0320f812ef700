package dev.holdfast.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Implementations of the anchor loss in Python, measured by {@code tools/reference/bench_peers.py} in a process of their own. */
public final class PythonPeers {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final String python;
    private final Path script;
    private final int runs;
    private final int threads;
    private final double copyBytesPerSecond;

    /**
     * Peers that are measured as our own implementations are.
     *
     * @param python the interpreter that has PyTorch
     * @param script the file {@code bench_peers.py}
     * @param copyBytesPerSecond the machine's copy bandwidth
     */
    public PythonPeers(String python, Path script, int runs, int threads, double copyBytesPerSecond) {
        this.python = python;
        this.script = script;
        this.runs = runs;
        this.threads = threads;
        this.copyBytesPerSecond = copyBytesPerSecond;
    }

    /** What the peers took, those that are not there with the reason. */
    public List<KernelResult> run(KernelCase kernelCase) {
        if (!Files.isRegularFile(script)) {
            return List.of(
                    KernelBenchmark.absent(kernelCase, "torch", "no script " + script + ", which a checkout has"));
        }
        try {
            return results(kernelCase, start(kernelCase));
        } catch (IOException e) {
            return List.of(KernelBenchmark.absent(kernelCase, "torch", python + " cannot be run: " + e.getMessage()));
        }
    }

    private Process start(KernelCase kernelCase) throws IOException {
        List<String> command = List.of(
                python,
                script.toString(),
                "--rows",
                String.valueOf(kernelCase.rows()),
                "--vocabulary",
                String.valueOf(kernelCase.vocabulary()),
                "--type",
                KernelBenchmark.name(kernelCase.type()),
                "--divergence",
                kernelCase.divergence().name().toLowerCase(Locale.ROOT),
                "--interpolation",
                kernelCase.interpolation().name().toLowerCase(Locale.ROOT),
                "--runs",
                String.valueOf(runs),
                "--threads",
                String.valueOf(threads));
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private List<KernelResult> results(KernelCase kernelCase, Process process) throws IOException {
        List<KernelResult> results = new ArrayList<>();
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                results.add(result(kernelCase, JSON.readTree(line)));
            }
        }
        if (results.isEmpty()) {
            results.add(KernelBenchmark.absent(
                    kernelCase, "torch", python + " has no PyTorch; tools/reference/README.md says how to install it"));
        }
        return results;
    }

    private KernelResult result(KernelCase kernelCase, JsonNode line) {
        KernelResult nothing = KernelBenchmark.absent(
                kernelCase,
                line.path("implementation").asText(),
                line.path("absent").asText());
        String backend = line.path("backend").asText();
        if (line.has("absent")) {
            return nothing.onBackend(backend);
        }
        double median = line.path("median_ms").asDouble();
        return new KernelResult(
                nothing.implementation(),
                backend,
                "",
                line.path("threads").asInt(),
                nothing.type(),
                nothing.divergence(),
                nothing.interpolation(),
                nothing.rows(),
                nothing.vocabulary(),
                median,
                line.path("spread_ms").asDouble(),
                kernelCase.bytes(),
                kernelCase.operations(),
                kernelCase.bytes() / (median / 1e3) / copyBytesPerSecond,
                line.path("peak_bytes").asLong(),
                null);
    }
}
