package dev.holdfast.cli;

import dev.holdfast.artifact.JsonFiles;
import dev.holdfast.bench.KernelBenchmark;
import dev.holdfast.bench.KernelCase;
import dev.holdfast.bench.KernelResult;
import dev.holdfast.bench.LinearKernelBenchmark;
import dev.holdfast.bench.LinearKernelCase;
import dev.holdfast.bench.MatrixProductBenchmark;
import dev.holdfast.bench.PythonPeers;
import dev.holdfast.config.Divergence;
import dev.holdfast.config.Interpolation;
import dev.holdfast.error.RuntimeFailureException;
import dev.holdfast.files.OutputFile;
import dev.holdfast.loss.AnchorLoss;
import dev.holdfast.loss.LinearAnchorLoss;
import dev.holdfast.natives.CudaLibrary;
import dev.holdfast.natives.NativeLibrary;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.ElementType;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Measures the anchor loss alone. */
@Command(
        name = "kernels",
        customSynopsis = "holdfast bench kernels [FLAGS]",
        description =
                "Measure the anchor loss, gradient included, on given logits or with the LM head: time, bytes, memory, and the peers beside it.",
        footer = {
            "",
            "Flags that list values are measured in every combination. A run moves 4 logits' bytes per logit at least (three are read, the",
            "gradient is written in place of the student's); copy is that over the time, as a part of this machine's copy bandwidth.",
            "--peers measures PyTorch and Liger in the Python that HOLDFAST_TORCH_PYTHON names (python3), and the same loss composed of",
            "ONNX Runtime's operators; what is not there is named.",
            "--backend cuda works in memory of the current device, by its clock, and compares with its copy bandwidth; beside other",
            "backends it is named where it cannot run.",
            "",
            "--hidden measures the loss fused with the LM head instead: holdfast-separate (three heads, that of the student trained),",
            "holdfast-mixed (snapshot and reference share one), holdfast-frozen (one head, not trained) and holdfast-mu (the anchor's mean",
            "was kept). --type is then what operands of products are rounded to, and FLOP are those of the products.",
            "",
            "Examples:",
            "  holdfast bench kernels --rows 256 --vocabulary 49152,151936 --type fp32 --peers --json kernels.json",
            "  holdfast bench kernels --rows 424 --hidden 576 --type fp32,bf16"
        })
final class BenchKernelsCommand implements Callable<Integer>, CheckedCommand {
    private final Console console;

    @Option(names = "--rows", split = ",", paramLabel = "N", defaultValue = "256", description = "Tokens (256)")
    private List<Integer> rows;

    @Option(
            names = "--vocabulary",
            split = ",",
            paramLabel = "V",
            defaultValue = "49152",
            description = "Logits of a token (49152)")
    private List<Integer> vocabularies;

    @Option(names = "--hidden", paramLabel = "H", description = "Hidden size: with the LM head (on given logits)")
    private Integer hidden;

    @Option(
            names = "--type",
            split = ",",
            paramLabel = "TYPE",
            defaultValue = "fp32",
            description = "Of the logits: fp32, fp16 or bf16 (fp32)")
    private List<String> types;

    @Option(
            names = "--divergence",
            split = ",",
            paramLabel = "NAME",
            defaultValue = "forward_kl",
            description = "forward_kl, reverse_kl or jsd (forward_kl)")
    private List<String> divergences;

    @Option(
            names = "--interpolation",
            split = ",",
            paramLabel = "NAME",
            defaultValue = "logit",
            description = "logit or probability (logit)")
    private List<String> interpolations;

    @Option(
            names = "--backend",
            split = ",",
            paramLabel = "NAME",
            defaultValue = "cpu",
            description = "cpu, reference, java or cuda (cpu)")
    private List<String> backends;

    @Option(names = "--peers", description = "Measure other implementations beside ours")
    private boolean peers;

    @Option(names = "--runs", paramLabel = "N", defaultValue = "20", description = "Runs that make a median (20)")
    private int runs;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "20",
            description = "No further run of an implementation begins after so many (20)")
    private double seconds;

    @Option(names = "--threads", paramLabel = "N", description = "Threads; 0 = all cores (0)")
    private int threads = 0;

    @Option(
            names = "--json",
            paramLabel = "FILE",
            description = "Where to write the results; a picture of them, .svg, is written beside it")
    private Path json;

    BenchKernelsCommand(Console console) {
        this.console = console;
    }

    /** The file that --json names. */
    private record Report(Map<String, Object> machine, List<KernelResult> results) {}

    /** A name on the command line and what it stands for. */
    private record Named<T>(String flag, String expected, Function<String, Optional<T>> find) {
        void check(List<String> names, FlagProblems problems) {
            names.stream()
                    .filter(name -> find.apply(name).isEmpty())
                    .forEach(name -> problems.wrongUsage(flag + ": expected " + expected + ", got " + name));
        }

        List<T> values(List<String> names) {
            return names.stream().map(name -> find.apply(name).orElseThrow()).toList();
        }
    }

    private static final Named<ElementType> TYPE = new Named<>("--type", "fp32, fp16 or bf16", name -> Stream.of(
                    ElementType.FLOAT, ElementType.FLOAT16, ElementType.BFLOAT16)
            .filter(type -> KernelBenchmark.name(type).equals(name))
            .findFirst());
    private static final Named<Divergence> DIVERGENCE =
            new Named<>("--divergence", "forward_kl, reverse_kl or jsd", name -> constant(Divergence.values(), name));
    private static final Named<Interpolation> INTERPOLATION =
            new Named<>("--interpolation", "logit or probability", name -> constant(Interpolation.values(), name));
    private static final Named<AnchorLoss.Backend> BACKEND = new Named<>(
            "--backend",
            "cpu, reference, java or cuda",
            name -> name.equals("reference")
                    ? Optional.of(AnchorLoss.Backend.NATIVE_REFERENCE)
                    : constant(AnchorLoss.Backend.values(), name));

    private static <E extends Enum<E>> Optional<E> constant(E[] constants, String name) {
        return Stream.of(constants)
                .filter(constant -> constant.name().toLowerCase(Locale.ROOT).equals(name))
                .findFirst();
    }

    @Override
    public void check(FlagProblems problems) {
        rows.forEach(count -> problems.require(count >= 1, "--rows", "1 or more", count));
        vocabularies.forEach(size -> problems.require(size >= 1, "--vocabulary", "1 or more", size));
        checkFused(problems);
        TYPE.check(types, problems);
        DIVERGENCE.check(divergences, problems);
        INTERPOLATION.check(interpolations, problems);
        BACKEND.check(backends, problems);
        problems.require(runs >= 1, "--runs", "1 or more", runs);
        problems.require(seconds > 0, "--seconds", "more than 0", seconds);
        problems.require(threads >= 0, "--threads", "0 or more", threads);
    }

    private void checkFused(FlagProblems problems) {
        if (hidden == null) {
            return;
        }
        problems.require(hidden >= 1, "--hidden", "1 or more", hidden);
        problems.require(!types.contains("fp16"), "--type", "fp32 or bf16 with --hidden", "fp16");
        for (String absent : List.of("java", "cuda")) {
            problems.require(!backends.contains(absent), "--backend", "cpu or reference with --hidden", absent);
        }
    }

    @Override
    public Integer call() {
        int used = threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
        List<AnchorLoss.Backend> chosen = BACKEND.values(backends);
        if (chosen.stream().allMatch(AnchorLoss.Backend.CUDA::equals)) {
            KernelBenchmark.requireRunnable(AnchorLoss.Backend.CUDA);
        }
        console.say("measuring this machine’s copy bandwidth and matrix product");
        KernelBenchmark benchmark = new KernelBenchmark(runs, seconds, used);
        Map<String, Object> machine = machine(benchmark, used);
        console.results()
                .printf(
                        Locale.ROOT,
                        "machine  %s, %d threads, copy %.1f GB/s, matrix product %.0f GFLOP/s%n",
                        machine.get("processor"),
                        used,
                        (double) machine.get("copy_gbps"),
                        (double) machine.get("matrix_gflops"));
        if (chosen.contains(AnchorLoss.Backend.CUDA)) {
            addDevice(machine, benchmark);
        }
        PythonPeers python = python(benchmark, used);
        List<KernelResult> results = new ArrayList<>();
        for (KernelCase kernelCase : cases()) {
            List<KernelResult> ofCase = hidden == null
                    ? given(benchmark, python, kernelCase, chosen)
                    : fused(benchmark, python, kernelCase, used);
            console.results().print(KernelTable.of(ofCase));
            console.results().flush();
            results.addAll(ofCase);
        }
        write(new Report(machine, results));
        return ExitCode.OK;
    }

    private List<KernelResult> given(
            KernelBenchmark benchmark, PythonPeers python, KernelCase kernelCase, List<AnchorLoss.Backend> chosen) {
        List<KernelResult> results = new ArrayList<>(benchmark.run(kernelCase, chosen, peers));
        if (peers) {
            results.addAll(python.run(kernelCase));
        }
        return results;
    }

    private List<KernelResult> fused(KernelBenchmark benchmark, PythonPeers python, KernelCase size, int usedThreads) {
        LinearKernelCase kernelCase = new LinearKernelCase(
                size.rows(), hidden, size.vocabulary(), size.type(), size.divergence(), size.interpolation());
        List<LinearAnchorLoss.Backend> places = BACKEND.values(backends).stream()
                .map(backend -> LinearAnchorLoss.Backend.valueOf(backend.name()))
                .toList();
        List<KernelResult> results =
                new ArrayList<>(new LinearKernelBenchmark(runs, seconds, usedThreads, benchmark.copyBytesPerSecond())
                        .run(kernelCase, places));
        if (peers) {
            results.addAll(python.run(kernelCase));
        }
        return results;
    }

    private List<KernelCase> cases() {
        List<KernelCase> cases = new ArrayList<>();
        for (ElementType type : TYPE.values(types)) {
            for (Divergence divergence : DIVERGENCE.values(divergences)) {
                for (Interpolation interpolation : INTERPOLATION.values(interpolations)) {
                    vocabularies.forEach(size -> rows.forEach(
                            count -> cases.add(new KernelCase(count, size, type, divergence, interpolation))));
                }
            }
        }
        return cases;
    }

    private static Map<String, Object> machine(KernelBenchmark benchmark, int threads) {
        MatrixProductBenchmark.Rate rate =
                MatrixProductBenchmark.run(SessionSettings.defaults().withIntraOpThreads(threads));
        Map<String, Object> machine = new LinkedHashMap<>();
        machine.put("processor", MachineFacts.processor());
        machine.put("system", MachineFacts.system());
        machine.put("java", MachineFacts.java());
        machine.put("isa", NativeLibrary.load().instructionSet());
        machine.put("threads", threads);
        machine.put("copy_gbps", benchmark.copyBytesPerSecond() / 1e9);
        machine.put("matrix_gflops", rate.best());
        machine.put("version", Versions.holdfast());
        machine.put("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        return machine;
    }

    /** Nothing if there is none: then every table says so. */
    private void addDevice(Map<String, Object> machine, KernelBenchmark benchmark) {
        try {
            CudaLibrary library = CudaLibrary.load();
            String device = MachineFacts.device(library.device());
            double copyRate = benchmark.cudaCopyBytesPerSecond() / 1e9;
            machine.put("cuda_device", device);
            machine.put("cuda_library", library.name());
            machine.put("cuda_copy_gbps", copyRate);
            console.results()
                    .printf(Locale.ROOT, "device   %s, %s, copy %.1f GB/s%n", device, library.name(), copyRate);
        } catch (RuntimeFailureException absent) {
            console.say(absent.getMessage());
        }
    }

    private PythonPeers python(KernelBenchmark benchmark, int used) {
        String interpreter =
                Optional.ofNullable(System.getenv("HOLDFAST_TORCH_PYTHON")).orElse("python3");
        Path home = Path.of(System.getProperty("holdfast.home", "."));
        return new PythonPeers(
                interpreter,
                home.resolve("tools/reference/bench_peers.py"),
                runs,
                used,
                benchmark.copyBytesPerSecond());
    }

    private void write(Report report) {
        if (json == null) {
            return;
        }
        JsonFiles.write(json.toAbsolutePath(), report);
        Path picture = json.toAbsolutePath().resolveSibling(baseName(json) + ".svg");
        OutputFile.writeWhole(picture, KernelTable.chart(report.results()).svg().getBytes(StandardCharsets.UTF_8));
        console.results().printf("%nresults  %s%npicture  %s%n", json, picture);
    }

    private static String baseName(Path file) {
        String name = file.getFileName().toString();
        return name.endsWith(".json") ? name.substring(0, name.length() - ".json".length()) : name;
    }
}
