package dev.holdfast.eval.sandbox;

import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.files.StagedDirectory;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Runs Python programs, each in a process and a temporary folder of its own, under limits of {@code prlimit}, and by {@code unshare}
 * without
 * network and in a process space that ends with it.
 *
 * <p>It keeps programs from the network and from using up the machine; it does not hide the file system from them. Thread safety:
 * programs may be
 * run from several threads.
 */
public final class PythonSandbox {
    private static final List<String> PYTHON = List.of("python3", "-I", "-B");
    private static final String OWN_PATH = "import sys; print(sys.executable)";
    private static final List<List<String>> SEPARATIONS = List.of(
            List.of("unshare", "--net", "--pid", "--fork", "--kill-child"),
            List.of("unshare", "--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child"));
    /** A parent for the program that tells the signal by which it ended: unshare itself fails to where it may not send it on. */
    private static final List<String> PARENT = List.of("sh", "-c", "\"$@\"; exit $?", "sh");

    private static final String PROGRAM = "program.py";
    /** What a process that SIGXCPU ended exits with. */
    private static final int TIME_IS_UP = 128 + 24;

    private static final int LONGEST_REASON = 300;

    private final SandboxLimits limits;
    private final List<String> python;
    private final List<String> separation;

    private PythonSandbox(SandboxLimits limits, List<String> python, List<String> separation) {
        this.limits = limits;
        this.python = python;
        this.separation = separation;
    }

    /**
     * A sandbox, after a look at what this machine allows.
     *
     * @throws InvalidInputException if there is no Python or no prlimit
     */
    public static PythonSandbox create(SandboxLimits limits) {
        // The name may be a script that looks for the real one every time.
        String path = output(joined(PYTHON, List.of("-c", OWN_PATH)))
                .orElseThrow(() -> new InvalidInputException(
                        "sandbox: expected python3 on the PATH, got none that runs; install it to grade code"));
        if (!succeeds(List.of("prlimit", "--version"))) {
            throw new InvalidInputException(
                    "sandbox: expected prlimit (of util-linux) on the PATH, got none; install it to grade code");
        }
        List<String> separation = SEPARATIONS.stream()
                .filter(command -> succeeds(joined(command, List.of("true"))))
                .findFirst()
                .orElse(List.of());
        return new PythonSandbox(limits, joined(List.of(path), PYTHON.subList(1, PYTHON.size())), separation);
    }

    private static boolean succeeds(List<String> command) {
        return output(command).isPresent();
    }

    /** What a command prints, without blanks around it; nothing if it fails. */
    private static Optional<String> output(List<String> command) {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return process.waitFor() == 0 ? Optional.of(output.strip()) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    /** Whether programs are without network; otherwise the system does not let this process take it away. */
    public boolean isWithoutNetwork() {
        return !separation.isEmpty();
    }

    /**
     * Runs a program to its end.
     *
     * @throws FileAccessException if no temporary folder can be written
     */
    public SandboxResult run(String program) {
        Path folder = null;
        try {
            folder = Files.createTempDirectory("holdfast-sandbox");
            return run(program, folder);
        } catch (InterruptedIOException e) {
            Thread.currentThread().interrupt();
            return new SandboxResult(false, "interrupted");
        } catch (IOException e) {
            throw FileAccessException.writing(Path.of(System.getProperty("java.io.tmpdir")), e);
        } finally {
            if (folder != null) {
                StagedDirectory.deleteTree(folder);
            }
        }
    }

    private SandboxResult run(String program, Path folder) throws IOException {
        // A program that ends itself early exits with 0 as well; only one that came to its last line says the word.
        String word = HexFormat.of().formatHex(new SecureRandom().generateSeed(16));
        Files.writeString(folder.resolve(PROGRAM), program + "\nprint('\\n" + word + "')\n");
        Path output = folder.resolve("output");
        Path errors = folder.resolve("errors");
        Process process = start(folder, output, errors);
        boolean ended = waitFor(process);
        if (!ended || process.exitValue() == TIME_IS_UP) {
            return new SandboxResult(false, "time is up after " + limits.time().toSeconds() + " s");
        }
        boolean passed = process.exitValue() == 0 && text(output).strip().endsWith(word);
        return new SandboxResult(passed, passed ? "" : reason(process.exitValue(), text(errors)));
    }

    private Process start(Path folder, Path output, Path errors) throws IOException {
        List<String> limited = List.of(
                "prlimit",
                "--as=" + limits.memoryBytes(),
                "--fsize=" + limits.fileBytes(),
                "--cpu=" + limits.time().toSeconds() + ":",
                "--core=0");
        ProcessBuilder builder = new ProcessBuilder(joined(separation, PARENT, limited, python, List.of(PROGRAM)))
                .directory(folder.toFile())
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(output.toFile())
                .redirectError(errors.toFile());
        Map<String, String> environment = builder.environment();
        String path = environment.getOrDefault("PATH", "/usr/bin:/bin");
        environment.clear();
        environment.putAll(
                Map.of("PATH", path, "HOME", folder.toString(), "TMPDIR", folder.toString(), "LC_ALL", "C.UTF-8"));
        return builder.start();
    }

    private boolean waitFor(Process process) throws InterruptedIOException {
        try {
            return process.waitFor(limits.patience().toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            throw new InterruptedIOException();
        } finally {
            Stream.concat(process.descendants(), Stream.of(process.toHandle())).forEach(ProcessHandle::destroyForcibly);
        }
    }

    private static String reason(int exitValue, String errors) {
        String last = errors.strip();
        last = last.substring(last.lastIndexOf('\n') + 1);
        String shortened = last.length() <= LONGEST_REASON ? last : last.substring(0, LONGEST_REASON) + "...";
        return shortened.isEmpty() ? "ended early, with exit code " + exitValue : shortened;
    }

    /** A file whole; the limit keeps it small. */
    private static String text(Path file) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }

    @SafeVarargs
    private static List<String> joined(List<String>... parts) {
        List<String> all = new ArrayList<>();
        for (List<String> part : parts) {
            all.addAll(part);
        }
        return all;
    }
}
