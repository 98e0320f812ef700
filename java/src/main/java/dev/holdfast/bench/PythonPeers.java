package dev.holdfast.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.config.Divergence;
import dev.holdfast.config.Interpolation;
import dev.holdfast.tensor.ElementType;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

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

    /** A case as the script takes it, and how its results are named. */
    private record Question(List<String> arguments, Absence absence, long bytes, long operations) {}

    private interface Absence {
        KernelResult of(String implementation, String reason);
    }

    /** What the peers took, those that are not there with the reason. */
    public List<KernelResult> run(KernelCase kernelCase) {
        return ask(new Question(
                arguments(
                        kernelCase.rows(),
                        kernelCase.vocabulary(),
                        kernelCase.type(),
                        kernelCase.divergence(),
                        kernelCase.interpolation()),
                (implementation, reason) -> KernelBenchmark.absent(kernelCase, implementation, reason),
                kernelCase.bytes(),
                kernelCase.operations()));
    }

    /** The same with the LM head, every model with one of its own and that of the student trained. */
    public List<KernelResult> run(LinearKernelCase kernelCase) {
        List<String> arguments = arguments(
                kernelCase.rows(),
                kernelCase.vocabulary(),
                kernelCase.operandType(),
                kernelCase.divergence(),
                kernelCase.interpolation());
        arguments.addAll(List.of("--hidden", String.valueOf(kernelCase.hidden())));
        return ask(new Question(
                arguments,
                (implementation, reason) -> LinearKernelBenchmark.absent(kernelCase, implementation, "cpu", reason),
                kernelCase.bytes(LinearVariant.SEPARATE),
                kernelCase.operations(LinearVariant.SEPARATE)));
    }

    private static List<String> arguments(
            int rows, int vocabulary, ElementType type, Divergence divergence, Interpolation interpolation) {
        return new ArrayList<>(List.of(
                "--rows",
                String.valueOf(rows),
                "--vocabulary",
                String.valueOf(vocabulary),
                "--type",
                KernelBenchmark.name(type),
                "--divergence",
                KernelBenchmark.lower(divergence),
                "--interpolation",
                KernelBenchmark.lower(interpolation)));
    }

    private List<KernelResult> ask(Question question) {
        if (!Files.isRegularFile(script)) {
            return List.of(question.absence().of("torch", "no script " + script + ", which a checkout has"));
        }
        try {
            return results(question, start(question));
        } catch (IOException e) {
            return List.of(question.absence().of("torch", python + " cannot be run: " + e.getMessage()));
        }
    }

    private Process start(Question question) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                python, script.toString(), "--runs", String.valueOf(runs), "--threads", String.valueOf(threads)));
        command.addAll(question.arguments());
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private List<KernelResult> results(Question question, Process process) throws IOException {
        List<KernelResult> results = new ArrayList<>();
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                results.add(result(question, JSON.readTree(line)));
            }
        }
        if (results.isEmpty()) {
            results.add(question.absence()
                    .of("torch", python + " has no PyTorch; tools/reference/README.md says how to install it"));
        }
        return results;
    }

    private KernelResult result(Question question, JsonNode line) {
        KernelResult nothing = question.absence()
                .of(line.path("implementation").asText(), line.path("absent").asText());
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
                nothing.hidden(),
                nothing.vocabulary(),
                median,
                line.path("spread_ms").asDouble(),
                question.bytes(),
                question.operations(),
                question.bytes() / (median / 1e3) / copyBytesPerSecond,
                line.path("peak_bytes").asLong(),
                null);
    }
}
