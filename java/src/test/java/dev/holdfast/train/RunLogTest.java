package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunLogTest {
    @TempDir
    Path folder;

    @Test
    void everyLineAlsoGoesToTensorBoard() throws IOException {
        RunLog log = new RunLog(RunDirectory.at(Files.createDirectory(folder.resolve("run"))), 0);
        log.step(TensorBoardFileTest.metrics(1, 4.5));
        log.evaluation(new EvaluationMetrics(1, 3.5, 0.75, 80));
        log.drift(LedgerEntry.of(
                1,
                80,
                new IterationDrift(1, true, 0.5, 0.25, 0.375, 0.5, 0.5, 0.125, 2.5, 3.5),
                new Divergences(1.5, 1.75),
                null));
        assertThat(TinyRuns.metrics(folder.resolve("run"))).hasSize(1);
        assertThat(TinyRuns.lines(folder.resolve("run/eval.jsonl"))).hasSize(1);
        assertThat(TinyRuns.lines(folder.resolve("run/ledger.jsonl"))).hasSize(1);
        List<Map<String, Object>> events = TensorBoardFileTest.events(eventFile());
        assertThat(events).hasSize(5);
        assertThat(events.get(2)).containsEntry("loss", 4.5f);
        assertThat(events.get(3)).containsEntry("eval_loss", 3.5f);
        assertThat(events.get(4)).containsEntry("kl_step", 0.25f).containsEntry("kl_total_reverse", 1.75f);
    }

    private Path eventFile() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("run"))) {
            return files.filter(file -> file.getFileName().toString().contains("tfevents"))
                    .findFirst()
                    .orElseThrow();
        }
    }
}
