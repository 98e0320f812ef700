package dev.holdfast.cli;

import dev.holdfast.eval.GenerationOptions;
import dev.holdfast.eval.suite.Evaluation;
import dev.holdfast.eval.suite.EvaluationSettings;
import dev.holdfast.eval.suite.Scorecard;
import dev.holdfast.eval.suite.SuiteName;
import dev.holdfast.eval.suite.TemplateUse;
import dev.holdfast.runtime.SessionSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Scores a model, or responses made elsewhere, on benchmark suites. */
@Command(
        name = "eval",
        customSynopsis = "holdfast eval --suite LIST --data FILE|DIR --out DIR --model DIR | --responses FILE [FLAGS]",
        description = {
            "Score a packaged model on benchmark suites, or grade responses made elsewhere.",
            "Every response is kept with its verdicts; scores have intervals of 95 %%."
        },
        footer = {
            "",
            "Suites: igsm, ifeval, medcalc, countdown, mmlu-pro, mmlu-pro-likelihood, math500,",
            "humaneval, mbpp, perplexity. A data folder holds DIR/SUITE.jsonl (or .jsonl.gz), or",
            "the files of a suite under their own names in DIR/SUITE. Without data, countdown",
            "generates its questions from the seed.",
            "",
            "Written: DIR/scorecard.json, and DIR/SUITE.jsonl with key, prompt, response and verdicts",
            "of each question. Responses made elsewhere are JSON lines of key and response, where key",
            "is the data's own (or the number of the row, from 0, where rows have none).",
            "",
            "Examples:",
            "  holdfast eval --model model --suite igsm,ifeval --data data --limit 50 --out scores",
            "  holdfast eval --responses answers.jsonl --suite ifeval --data ifeval.jsonl --out scores",
            "  holdfast eval --model model --suite countdown --limit 20 --out scores"
        })
final class EvalCommand implements Callable<Integer>, CheckedCommand {
    private static final String PUNKT = "holdfast/punkt/english";

    private final Console console;

    @Option(
            names = "--suite",
            required = true,
            paramLabel = "LIST",
            split = ",",
            description = "Suites, parted by commas")
    private List<String> suites = new ArrayList<>();

    @Option(names = "--model", paramLabel = "DIR", description = "A packaged model, or a finished run")
    private Path model;

    @Option(
            names = "--responses",
            paramLabel = "FILE|DIR",
            description = "Grade these responses instead of generating; a folder holds SUITE.jsonl")
    private Path responses;

    @Option(
            names = "--data",
            paramLabel = "FILE|DIR",
            description = "The suite's data, or a folder with data of all suites")
    private Path data;

    @Option(
            names = {"--out", "--output"},
            required = true,
            paramLabel = "DIR",
            description = "Folder to write; must be new or empty")
    private Path out;

    @Option(names = "--limit", paramLabel = "N", description = "The first N questions of each suite alone")
    private Integer limit;

    @Option(
            names = "--few_shot",
            paramLabel = "N",
            description = "Show N answered questions before each",
            defaultValue = "0")
    private int fewShot;

    @Option(
            names = "--few_shot_data",
            paramLabel = "FILE",
            description = "Where they come from: JSON lines of prompt and completion")
    private Path fewShotData;

    @Option(
            names = "--chat_template",
            paramLabel = "auto|true|false",
            description = "Put questions into words by the model's chat template; auto = if it has one",
            defaultValue = "auto")
    private TemplateUse chatTemplate;

    @Option(
            names = "--max_new_tokens",
            paramLabel = "N",
            description = "The most tokens of a response (default: by suite, 512 to 1280)")
    private Integer maxNewTokens;

    @Option(
            names = "--batch_size",
            paramLabel = "N",
            description = "Questions that are answered at once",
            defaultValue = "8")
    private int batchSize;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "Divides the logits before drawing; 0 takes the likeliest token each time",
            defaultValue = "0")
    private double temperature;

    @Option(
            names = "--seed",
            paramLabel = "S",
            description = "Of drawn tokens and generated questions",
            defaultValue = "0")
    private long seed;

    @Option(
            names = "--allow_code_execution",
            arity = "1",
            paramLabel = "true|false",
            description = "Run the code of responses (humaneval, mbpp) in a sandbox without network",
            defaultValue = "false")
    private boolean allowCodeExecution;

    @Option(
            names = "--code_seconds",
            paramLabel = "N",
            description = "The most processor time that a response's code may take",
            defaultValue = "10")
    private int codeSeconds;

    @Option(
            names = "--punkt",
            paramLabel = "DIR",
            description = "Punkt's parameters for English, for ifeval (default: what tools/dev fetch-punkt fetched)")
    private Path punkt;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads of ONNX Runtime; 0 = all cores",
            defaultValue = "0")
    private int threads;

    EvalCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        try (EvaluationConsole progress = new EvaluationConsole(console)) {
            Scorecard scorecard = Evaluation.run(settings(), out, progress);
            console.say("");
            console.results().print(ScorecardTable.of(scorecard));
            console.say("scorecard   " + out.resolve(Scorecard.FILE));
        }
        return ExitCode.OK;
    }

    private EvaluationSettings settings() {
        return new EvaluationSettings(
                suites.stream()
                        .map(id -> SuiteName.of(id).orElseThrow())
                        .distinct()
                        .toList(),
                Optional.ofNullable(model).map(PackagedModelPath::of),
                Optional.ofNullable(data),
                Optional.ofNullable(responses),
                optional(limit),
                new EvaluationSettings.Shots(chatTemplate, fewShot, Optional.ofNullable(fewShotData)),
                new EvaluationSettings.Generation(optional(maxNewTokens), temperature, seed, batchSize),
                allowCodeExecution ? Optional.of(Duration.ofSeconds(codeSeconds)) : Optional.empty(),
                Optional.ofNullable(punkt).or(EvalCommand::fetchedPunkt),
                SessionSettings.defaults().withIntraOpThreads(threads));
    }

    private static OptionalInt optional(Integer value) {
        return value == null ? OptionalInt.empty() : OptionalInt.of(value);
    }

    /** Where {@code tools/dev fetch-punkt} puts it. */
    private static Optional<Path> fetchedPunkt() {
        String cache = System.getenv("XDG_CACHE_HOME");
        Path folder = (cache == null || cache.isEmpty()
                        ? Path.of(System.getProperty("user.home"), ".cache")
                        : Path.of(cache))
                .resolve(PUNKT);
        return Optional.of(folder).filter(Files::isDirectory);
    }

    @Override
    public void check(FlagProblems problems) {
        List<SuiteName> known = new ArrayList<>();
        for (String id : suites) {
            SuiteName.of(id)
                    .ifPresentOrElse(
                            known::add,
                            () -> problems.wrongUsage("--suite: expected some of " + SuiteName.all() + ", got " + id));
        }
        checkSources(problems, known);
        checkNumbers(problems);
        problems.requireExisting("--model", model);
        problems.requireExisting("--responses", responses);
        problems.requireExisting("--data", data);
        problems.requireExisting("--few_shot_data", fewShotData);
        problems.requireExisting("--punkt", punkt);
        problems.requireFree("--out", out);
    }

    private void checkSources(FlagProblems problems, List<SuiteName> known) {
        boolean one = (model == null) != (responses == null);
        problems.require(one, "--model", "either it or --responses", model == null ? "neither" : "both");
        for (SuiteName suite : known) {
            problems.require(
                    data != null || suite.canBeGenerated(), "--data", "a file or folder for " + suite.id(), "none");
            problems.require(
                    responses == null || suite.hasResponses(), "--responses", "suites that have responses", suite.id());
            problems.require(
                    allowCodeExecution || !suite.runsCode(),
                    "--allow_code_execution",
                    "true, for " + suite.id() + " runs code that a model wrote",
                    "false");
        }
        checkFiles(problems, known);
    }

    private void checkFiles(FlagProblems problems, List<SuiteName> known) {
        boolean several = known.size() > 1;
        problems.require(
                !several || responses == null || !Files.isRegularFile(responses),
                "--responses",
                "a folder where there are several suites",
                responses);
        problems.require(
                !several || data == null || !Files.isRegularFile(data),
                "--data",
                "a folder where there are several suites",
                data);
        problems.require(
                fewShot == 0 || fewShotData != null, "--few_shot_data", "a file of answered questions", "none");
    }

    private void checkNumbers(FlagProblems problems) {
        problems.require(limit == null || limit >= 1, "--limit", "1 or more", limit);
        problems.require(fewShot >= 0, "--few_shot", "0 or more", fewShot);
        problems.require(batchSize >= 1, "--batch_size", "1 or more", batchSize);
        problems.require(codeSeconds >= 1, "--code_seconds", "1 or more", codeSeconds);
        problems.require(threads >= 0, "--threads", "0 or more", threads);
        GenerationOptions.problems(maxNewTokens == null ? 1 : maxNewTokens, temperature, 0, 1)
                .forEach(problem -> problems.wrongUsage("--" + problem));
    }
}
