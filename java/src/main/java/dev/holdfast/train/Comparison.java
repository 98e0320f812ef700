package dev.holdfast.train;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.artifact.JsonFiles;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Examples;
import dev.holdfast.runtime.SessionSettings;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What fine-tuning gained and what it cost: models of one family side by side, on held-out rows of the task and on rows of what should be
 * kept.
 *
 * @param models scores by the models' names, in the order given; the base first
 */
public record Comparison(Map<String, Scores> models) {
    /**
     * One model's scores.
     *
     * @param task on held-out rows of the task; null where none are given
     * @param retention on rows of what should be kept; null where none are given
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Scores(RowScores task, RowScores retention) {}

    /**
     * Scores the base and what was made of it.
     *
     * @param config names artifact, {@code data.eval} and {@code data.retention}
     * @param tuned models by name: runs, checkpoints or artifacts of the same family
     */
    static Comparison of(TrainingConfig config, Map<String, Path> tuned) {
        ArtifactDirectory artifact = ArtifactDirectory.trusted(config.artifact());
        SessionSettings settings = PreparedJob.sessionSettings(config).withBfloat16Products(false);
        Map<String, FrozenSource> all = new LinkedHashMap<>();
        all.put("base", new TrainedSource(ModelFolder.resolve(artifact.path())));
        tuned.forEach((name, path) -> all.put(name, new TrainedSource(ModelFolder.open(path))));
        FrozenHeads heads = new FrozenHeads();
        try (FrozenModel base = all.get("base").open(heads, settings);
                Rows task = Rows.open(config, artifact, config.dataEval(), settings);
                Rows retention = Rows.open(config, artifact, config.dataRetention(), settings)) {
            Map<String, Scores> scores = new LinkedHashMap<>();
            for (Map.Entry<String, FrozenSource> entry : all.entrySet()) {
                try (FrozenModel model = entry.getValue().open(heads, settings)) {
                    scores.put(entry.getKey(), new Scores(task.score(model, base), retention.score(model, base)));
                }
            }
            return new Comparison(scores);
        }
    }

    /** Writes the scores as JSON. */
    public void write(Path file) {
        JsonFiles.write(file, models);
    }

    /** Rows to score on, or none. */
    private record Rows(Optional<DriftMeter> meter) implements AutoCloseable {
        static Rows open(
                TrainingConfig config, ArtifactDirectory artifact, Optional<Path> file, SessionSettings settings) {
            return new Rows(file.map(path -> {
                TrainingData data = TrainingData.of(config, artifact, Examples.jsonLines(path));
                return DriftMeter.open(artifact.driftModel(), data.inOrder(data.rows()), LossInputs.plain(), settings);
            }));
        }

        RowScores score(FrozenModel model, FrozenModel base) {
            return meter.map(rows -> rows.score(model, base)).orElse(null);
        }

        @Override
        public void close() {
            meter.ifPresent(DriftMeter::close);
        }
    }
}
