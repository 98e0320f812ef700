package dev.holdfast.cli;

import dev.holdfast.data.Examples;
import dev.holdfast.eval.ScoreSummary;
import dev.holdfast.eval.Scorer;
import dev.holdfast.runtime.SessionSettings;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Tells how likely a model finds the responses of rows. */
@Command(
        name = "score",
        customSynopsis = "holdfast score --model DIR|ARTIFACT|RUN --data FILE --out FILE [FLAGS]",
        description = {
            "Tell how likely a model finds the responses of rows.",
            "Rows are encoded as training encodes them."
        },
        footer = {
            "",
            "One JSON line a row: index (from 0), tokens, logprob_sum, and token_logprobs:",
            "log p of every response token, in nats. A row without a response token within",
            "the model's context has tokens 0, logprob_sum 0 and an empty list.",
            "",
            "Example:",
            "  holdfast score --model runs/anchor --data eval.jsonl --out scores.jsonl"
        })
final class ScoreCommand implements Callable<Integer>, CheckedCommand {
    private static final int INTERVAL = 100;

    private final Console console;

    @Option(
            names = "--model",
            required = true,
            paramLabel = "DIR",
            description = "A packaged model, an artifact, a run (its latest checkpoint) or a checkpoint of a run")
    private Path model;

    @Option(names = "--data", required = true, paramLabel = "FILE", description = "Rows as JSON lines, as for training")
    private Path data;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "FILE",
            description = "File to write; an older one is replaced")
    private Path out;

    @Option(
            names = "--append_eos",
            arity = "1",
            paramLabel = "true|false",
            description = "Close every response with the end-of-sequence token",
            defaultValue = "true")
    private boolean appendEos;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads of ONNX Runtime; 0 = all cores",
            defaultValue = "0")
    private int threads;

    ScoreCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        Examples examples = Examples.jsonLines(data);
        // Reading all rows first tells their number, and a malformed one before any work is done.
        long[] rows = {0};
        examples.forEach(row -> rows[0]++);
        try (Scorer scorer =
                Scorer.open(model, appendEos, SessionSettings.defaults().withIntraOpThreads(threads))) {
            tell(score(scorer, examples, rows[0]), scorer.contextLength());
        }
        return ExitCode.OK;
    }

    @Override
    public void check(FlagProblems problems) {
        problems.requireExisting("--model", model);
        problems.requireExisting("--data", data);
        problems.require(threads >= 0, "--threads", "0 or more", threads);
    }

    private ScoreSummary score(Scorer scorer, Examples examples, long rows) {
        long[] done = {0};
        try (Progress progress = Progress.start(console, "score", rows, INTERVAL)) {
            return scorer.score(
                    examples,
                    out,
                    score -> progress.update(
                            ++done[0],
                            () -> String.format(
                                    Locale.ROOT, "%d tokens  logprob %.4f", score.tokens(), score.logprobSum())));
        }
    }

    private void tell(ScoreSummary summary, int contextLength) {
        if (summary.cut() > 0) {
            console.say(count(summary.cut()) + " longer than the model's context of " + contextLength
                    + " tokens and lost the tokens beyond it");
        }
        if (summary.withoutResponse() > 0) {
            console.say(count(summary.withoutResponse()) + " without a response token within " + contextLength
                    + " tokens: 0 tokens and an empty list in the file");
        }
        String nats = summary.natsPerToken().isPresent()
                ? String.format(
                        Locale.ROOT,
                        "%.6f nats per token",
                        summary.natsPerToken().getAsDouble())
                : "nothing to score";
        console.say(
                String.format(Locale.ROOT, "%d rows, %d response tokens, %s", summary.rows(), summary.tokens(), nats));
        console.say("scores      " + out);
    }

    private static String count(long rows) {
        return rows == 1 ? "1 row is" : rows + " rows are";
    }
}
