package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.Job;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Examples;
import dev.holdfast.exporter.AdapterExporter;
import dev.holdfast.testing.TinyModel;
import dev.holdfast.weights.LoraConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** Whole jobs on a tiny model: the artifact, its rows, settings to vary, and what runs leave behind. */
final class TinyRuns {
    static final int ROWS = 24;

    /** Makes adapters where a configuration asks for them, as the whole product does. */
    static final TrainingSupport SUPPORT = new TrainingSupport() {
        @Override
        public void requireAdaptable(ArtifactDirectory full, LoraConfig lora) {
            AdapterExporter.requireAdaptable(full, lora);
        }

        @Override
        public ArtifactDirectory adapt(ArtifactDirectory full, LoraConfig lora, long seed, Path target) {
            return AdapterExporter.export(full, lora, seed, target);
        }
    };

    private final ArtifactDirectory artifact;
    private final Path rows;
    private Path reference;

    /** Exports a model into a folder; nothing else may be written there but runs. */
    TinyRuns(String family, Path folder) {
        this.artifact = TinyModel.export(family, folder.resolve("artifact"));
        this.rows = TinyModel.rows(folder.resolve("train.jsonl"), ROWS);
    }

    ArtifactDirectory artifact() {
        return artifact;
    }

    Path rows() {
        return rows;
    }

    /** Two epochs of six steps, at a rate at which a few steps are seen. */
    TrainingConfig sft(Path out) {
        return common(TrainingConfig.of(Job.SFT), out).with(ConfigKeys.NUM_TRAIN_EPOCHS, 2L);
    }

    /** Three iterations of six steps towards a reference that was fine-tuned for twelve. */
    TrainingConfig anchor(Path out) {
        return common(TrainingConfig.of(Job.ANCHOR), out)
                .with(ConfigKeys.REFERENCE, reference())
                .with(ConfigKeys.INNER_EPOCHS, 1L)
                .with(ConfigKeys.OUTER_ITERATIONS, 3L);
    }

    private TrainingConfig common(TrainingConfig config, Path out) {
        return config.with(ConfigKeys.ARTIFACT, artifact.path())
                .with(ConfigKeys.DATA_TRAIN, rows)
                .with(ConfigKeys.OUT, out)
                .with(ConfigKeys.LEARNING_RATE, 3e-3)
                .with(ConfigKeys.PER_DEVICE_TRAIN_BATCH_SIZE, 4L)
                .with(ConfigKeys.SAVE_TOTAL_LIMIT, 0L);
    }

    /** A fine-tuned model, made at the first call. */
    Path reference() {
        if (reference == null) {
            Path run = rows.resolveSibling("reference");
            run(sft(run));
            reference = run;
        }
        return reference;
    }

    static TrainingOutcome run(TrainingConfig config) {
        return run(config, Examples.jsonLines(config.dataTrain()));
    }

    static TrainingOutcome run(TrainingConfig config, Examples train) {
        Optional<Examples> eval = config.dataEval().map(Examples::jsonLines);
        return Trainer.run(config, train, eval, TrainingListener.NONE, () -> false, SUPPORT);
    }

    /** Runs until so many steps of this session are done, then stops as on request. */
    static TrainingOutcome stopAfter(int steps, TrainingConfig config) {
        AtomicInteger done = new AtomicInteger();
        TrainingListener counter = new TrainingListener() {
            @Override
            public void stepped(StepMetrics metrics) {
                done.incrementAndGet();
            }
        };
        Examples train = Examples.jsonLines(config.dataTrain());
        return Trainer.run(config, train, Optional.empty(), counter, () -> done.get() >= steps, SUPPORT);
    }

    /** Dies in the middle of a step, as a killed process does, without leaving a checkpoint of the last steps. */
    static void dieAfter(int step, TrainingConfig config) {
        TrainingListener death = new TrainingListener() {
            @Override
            public void stepped(StepMetrics metrics) {
                if (metrics.step() == step) {
                    throw new Death();
                }
            }
        };
        try {
            Trainer.run(config, Examples.jsonLines(config.dataTrain()), Optional.empty(), death, () -> false, SUPPORT);
        } catch (Death expected) {
            return;
        }
        throw new AssertionError("expected step " + step + " to be reached");
    }

    private static final class Death extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    static List<JsonNode> lines(Path file) {
        try {
            List<JsonNode> lines = new ArrayList<>();
            for (String line : Files.readAllLines(file)) {
                lines.add(new ObjectMapper().readTree(line));
            }
            return lines;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<JsonNode> metrics(Path run) {
        return lines(run.resolve("metrics.jsonl"));
    }

    static double[] column(Path run, String key) {
        return metrics(run).stream()
                .mapToDouble(line -> line.get(key).asDouble())
                .toArray();
    }

    static List<String> checkpoints(Path run) {
        try (Stream<Path> entries = Files.list(run)) {
            return entries.map(entry -> entry.getFileName().toString())
                    .filter(name -> name.startsWith("checkpoint-"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The same files with the same bytes in both checkpoints. */
    static void assertSameFiles(Path actual, Path expected) {
        assertThat(names(actual)).isEqualTo(names(expected));
        for (String name : names(expected)) {
            assertThat(actual.resolve(name)).hasSameBinaryContentAs(expected.resolve(name));
        }
    }

    /** Equal lines of metrics, but for what the clock and the machine decide. */
    static void assertSameMetrics(Path actual, Path expected) {
        assertThat(measured(actual)).isEqualTo(measured(expected));
    }

    private static List<JsonNode> measured(Path run) {
        List<JsonNode> lines = metrics(run);
        lines.forEach(line -> ((ObjectNode) line).remove(List.of("tokens_per_second", "peak_memory_bytes")));
        return lines;
    }

    private static List<String> names(Path folder) {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
