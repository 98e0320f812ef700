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
        description = "Tell how likely a model finds the responses of rows, encoded as training encodes them.",
        footer = {
            "",
            "One JSON line a row: index (from 0), tokens, logprob_sum, token_logprobs (log p of every response token, in nats).",
            "",
            "Example:",
            "  holdfast score --model runs/anchor --data eval.jsonl --out scores.jsonl"
        })
final class ScoreCommand implements Callable<Integer> {
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
            description = "Close every response with the end-of-sequence token (true)",
            defaultValue = "true")
    private boolean appendEos;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads of ONNX Runtime; 0 = all cores (0)",
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
            tell(score(scorer, examples, rows[0]));
        }
        return ExitCode.OK;
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

    private void tell(ScoreSummary summary) {
        if (summary.cut() > 0) {
            console.say(summary.cut() + " rows were longer than the model's context and were cut");
        }
        console.say(String.format(
                Locale.ROOT,
                "%d rows, %d response tokens, %.6f nats per token",
                summary.rows(),
                summary.tokens(),
                -summary.meanLogprob()));
        console.say("scores      " + out);
    }
}
