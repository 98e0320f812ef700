package dev.holdfast.train;

import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Batch;
import dev.holdfast.data.Examples;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The rows of a job as token ids.
 *
 * @param train what is learnt
 * @param heldOut what is only evaluated
 * @param retention what should not be forgotten, only evaluated too
 */
record TrainingRows(TrainingData train, Optional<TrainingData> heldOut, Optional<TrainingData> retention) {
    /** Rows on which drift is measured. */
    private static final int DRIFT_ROWS = 64;

    /** Response tokens, or a row more, on which the weight of the reference is solved, a dozen passes of the head each time. */
    private static final int ALPHA_TOKENS = 1024;

    static TrainingRows of(
            TrainingConfig config,
            ArtifactDirectory artifact,
            Examples train,
            Optional<Examples> heldOut,
            Optional<Examples> retention) {
        return new TrainingRows(
                TrainingData.of(config, artifact, train),
                heldOut.map(examples -> TrainingData.of(config, artifact, examples)),
                retention.map(examples -> TrainingData.of(config, artifact, examples)));
    }

    /** The batches on which drift is measured: held-out rows where there are any. */
    List<Batch> driftBatches() {
        return heldOut.orElse(train).inOrder(DRIFT_ROWS);
    }

    /** The training rows on which the weight of the reference is solved: held-out rows decide nothing of a training. */
    List<Batch> alphaBatches() {
        return train.inOrder(Math.min(DRIFT_ROWS, train.rowsWith(ALPHA_TOKENS)));
    }

    /** The batches on which drift of what should be kept is measured. */
    Optional<List<Batch>> retentionDriftBatches() {
        return retention.map(data -> data.inOrder(DRIFT_ROWS));
    }

    /** Where the rows came from, and the digests of what they became. */
    Map<String, Provenance.Input> inputs() {
        Map<String, Provenance.Input> inputs = new LinkedHashMap<>();
        inputs.put("train", train.input());
        heldOut.ifPresent(data -> inputs.put("eval", data.input()));
        retention.ifPresent(data -> inputs.put("retention", data.input()));
        return inputs;
    }
}
