package dev.holdfast.eval.suite;

import dev.holdfast.artifact.JsonFiles;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.eval.ifeval.PunktParameters;
import dev.holdfast.eval.sandbox.PythonSandbox;
import dev.holdfast.eval.sandbox.SandboxLimits;
import dev.holdfast.files.FileDigest;
import dev.holdfast.files.NewFolder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs suites and writes what came out: {@code <suite>.jsonl}, a line for each item with prompt, response and verdicts, and
 * {@code scorecard.json}.
 */
public final class Evaluation {
    private final EvaluationSettings settings;
    private final EvaluationListener listener;
    private PythonSandbox sandbox;

    private Evaluation(EvaluationSettings settings, EvaluationListener listener) {
        this.settings = settings;
        this.listener = listener;
    }

    /**
     * Runs all suites. All data are read, and found to be in order, before the first model is opened; the file of a suite appears when
     * it is
     * complete, the scorecard at the end.
     *
     * @param out the folder to write, new or empty
     * @throws InvalidInputException if something is missing, does not belong together, or is not allowed by the settings
     * @throws dev.holdfast.error.MalformedFileException if a file of data, responses or the model is malformed
     * @throws dev.holdfast.error.FileAccessException if a file cannot be read or written
     * @throws dev.holdfast.error.RuntimeFailureException if ONNX Runtime fails
     */
    public static Scorecard run(EvaluationSettings settings, Path out, EvaluationListener listener) {
        return new Evaluation(settings, listener).run(out);
    }

    private Scorecard run(Path out) {
        NewFolder.requireFree(out);
        SuiteReader reader = new SuiteReader(
                settings.data(), settings.limit(), settings.generation().seed(), sentences(), this::sandbox);
        List<Suite> suites = settings.suites().stream().map(reader::read).toList();
        Map<SuiteName, ResponseFile> responses = responses(suites);
        Map<String, SuiteScore> scores = new LinkedHashMap<>();
        for (Suite suite : suites) {
            listener.begins(suite.name(), suite.size());
            SuiteScore score = score(suite, responses, out.resolve(suite.name().id() + ".jsonl"));
            listener.ends(suite.name(), score);
            scores.put(suite.name().id(), score);
        }
        Scorecard scorecard = new Scorecard(SettingsSummary.of(settings), digests(), scores);
        JsonFiles.write(out.resolve(Scorecard.FILE), scorecard);
        return scorecard;
    }

    private PunktParameters sentences() {
        if (settings.punkt().isEmpty() && settings.suites().contains(SuiteName.IFEVAL)) {
            listener.warns(
                    "ifeval: sentences are split by a short list of words, not by Punkt's parameters: a few verdicts on numbers of"
                            + " sentences will differ from the official ones; tools/dev fetch-punkt fetches them, --punkt names them");
        }
        return settings.punkt().map(PunktParameters::read).orElseGet(PunktParameters::basic);
    }

    private PythonSandbox sandbox() {
        if (sandbox == null) {
            sandbox = PythonSandbox.create(SandboxLimits.ofTime(settings.code()
                    .orElseThrow(() -> new InvalidInputException(
                            "code suites run what the model wrote: expected allow_code_execution true, got false"))));
            if (!sandbox.isWithoutNetwork()) {
                listener.warns(
                        "code runs with limits of time and memory, but not without network: unshare is not permitted here");
            }
        }
        return sandbox;
    }

    private Map<SuiteName, ResponseFile> responses(List<Suite> suites) {
        Map<SuiteName, ResponseFile> files = new LinkedHashMap<>();
        settings.responses().ifPresent(path -> {
            for (Suite suite : suites) {
                if (suite instanceof Suite.Questions questions) {
                    ResponseFile file = ResponseFile.read(suite.name(), path);
                    file.requireKeysOf(questions.questions());
                    files.put(suite.name(), file);
                }
            }
        });
        return files;
    }

    private SuiteScore score(Suite suite, Map<SuiteName, ResponseFile> responses, Path file) {
        if (suite instanceof Suite.Questions questions) {
            QuestionRun run = new QuestionRun(settings, listener, notes(suite.name()));
            return responses.containsKey(suite.name())
                    ? run.grade(questions, responses.get(suite.name()), file)
                    : run.answer(questions, file);
        }
        WeighingRun run = new WeighingRun(settings, listener);
        return suite instanceof Suite.Choices choices ? run.choices(choices, file) : run.rows((Suite.Rows) suite, file);
    }

    private Map<String, String> notes(SuiteName suite) {
        Map<String, String> notes = new LinkedHashMap<>();
        if (suite == SuiteName.IFEVAL) {
            notes.put("sentences", settings.punkt().isPresent() ? "Punkt" : "a short list of words");
        }
        if (suite.runsCode()) {
            notes.put("network", sandbox().isWithoutNetwork() ? "none" : "not taken away");
        }
        return notes;
    }

    private Map<String, String> digests() {
        Map<String, String> digests = new LinkedHashMap<>();
        settings.data().ifPresent(data -> settings.suites().stream()
                .flatMap(suite -> SuiteFiles.find(suite, data).stream())
                .flatMap(files -> files.paths().stream())
                .distinct()
                .forEach(
                        path -> digests.put(path.toString(), FileDigest.of(path).sha256())));
        return digests;
    }
}
