package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Batch;
import dev.holdfast.data.Examples;
import dev.holdfast.runtime.InferenceSession;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.HostTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunMetricsTest {
    private static final List<String> OF_EVERY_STEP = List.of(
            "step",
            "epoch",
            "loss",
            "token_accuracy",
            "grad_norm",
            "learning_rate",
            "response_tokens",
            "tokens_per_second",
            "peak_memory_bytes");

    private static final List<String> OF_ANCHORED_STEPS = List.of(
            "outer_iteration",
            "kl_bound",
            "kl_anchor_student",
            "kl_snapshot_anchor",
            "kl_snapshot_reference",
            "kl_snapshot_student",
            "kl_student_reference",
            "student_entropy");

    @TempDir
    static Path shared;

    private static TinyRuns runs;

    @TempDir
    Path folder;

    @BeforeAll
    static void export() {
        runs = new TinyRuns("qwen2", shared);
    }

    private static List<String> keys(JsonNode line) {
        List<String> keys = new ArrayList<>();
        line.fieldNames().forEachRemaining(keys::add);
        return keys;
    }

    @Test
    void aSupervisedRunWritesALineAStepWithTheDocumentedKeys() {
        List<JsonNode> lines =
                TinyRuns.metrics(TinyRuns.run(runs.sft(folder.resolve("run"))).run());
        assertThat(lines).hasSize(12);
        for (int i = 0; i < lines.size(); i++) {
            JsonNode line = lines.get(i);
            assertThat(keys(line)).containsExactlyInAnyOrderElementsOf(OF_EVERY_STEP);
            assertThat(line.get("step").asInt()).isEqualTo(i + 1);
            assertThat(line.get("epoch").asDouble()).isEqualTo((i + 1) / 6.0);
            assertThat(line.get("token_accuracy").asDouble()).isBetween(0.0, 1.0);
            assertThat(line.get("peak_memory_bytes").asLong()).isPositive();
        }
        assertThat(lines.get(11).get("loss").asDouble())
                .isLessThan(lines.get(0).get("loss").asDouble());
    }

    @Test
    void anAnchoredRunAddsTheIterationAndTheStatistics() {
        List<JsonNode> lines = TinyRuns.metrics(
                TinyRuns.run(runs.anchor(folder.resolve("run"))).run());
        assertThat(lines).hasSize(18);
        List<String> expected = new ArrayList<>(OF_EVERY_STEP);
        expected.addAll(OF_ANCHORED_STEPS);
        for (int i = 0; i < lines.size(); i++) {
            assertThat(keys(lines.get(i))).containsExactlyInAnyOrderElementsOf(expected);
            assertThat(lines.get(i).get("outer_iteration").asInt()).isEqualTo(i / 6 + 1);
            assertThat(lines.get(i).get("loss").asDouble())
                    .as("forward KL to the anchor is the whole loss")
                    // a mean of float32 against a sum of float32 with weights, each below 1: a few roundings of 6e-8
                    .isCloseTo(lines.get(i).get("kl_anchor_student").asDouble(), within(1e-6));
        }
    }

    /** One sum in float32 against sums of parts: some ten roundings apart in each step, carried through Adam's normalisation. */
    private static final Percentage ROUNDING = Percentage.withPercentage(0.01);

    @Test
    void theLossIsTheMeanOverTheGlobalBatchHoweverItIsCutIntoParts() {
        assertSameWhateverTheParts(runs.sft(folder));
    }

    @Test
    void theAnchoredLossIsTheMeanOverTheGlobalBatchHoweverItIsCutIntoParts() {
        assertSameWhateverTheParts(runs.anchor(folder).with(ConfigKeys.HARD_WEIGHT, 0.2));
    }

    private void assertSameWhateverTheParts(TrainingConfig config) {
        Path whole = cut(config, 8, 1);
        for (Path parts : List.of(cut(config, 4, 2), cut(config, 2, 4))) {
            for (String key : List.of("loss", "grad_norm")) {
                double[] expected = TinyRuns.column(whole, key);
                double[] actual = TinyRuns.column(parts, key);
                assertThat(actual).hasSameSizeAs(expected);
                for (int step = 0; step < expected.length; step++) {
                    assertThat(actual[step]).as("%s of step %d", key, step + 1).isCloseTo(expected[step], ROUNDING);
                }
            }
            assertThat(TinyRuns.column(parts, "response_tokens")).isEqualTo(TinyRuns.column(whole, "response_tokens"));
        }
    }

    private Path cut(TrainingConfig config, long rows, long parts) {
        Path out = folder.resolve(rows + "x" + parts);
        return TinyRuns.run(config.with(ConfigKeys.OUT, out)
                        .with(ConfigKeys.MAX_STEPS, 4L)
                        .with(ConfigKeys.PER_DEVICE_TRAIN_BATCH_SIZE, rows)
                        .with(ConfigKeys.GRADIENT_ACCUMULATION_STEPS, parts))
                .run();
    }

    @Test
    void theFirstLossIsTheMeanCrossEntropyThatTheForwardModelGives() {
        TrainingConfig config =
                runs.sft(folder.resolve("run")).with(ConfigKeys.SHUFFLE, false).with(ConfigKeys.MAX_STEPS, 1L);
        Path run = TinyRuns.run(config).run();
        List<Batch> first = data(config).inOrder(4);
        long[] labels = first.stream()
                .flatMapToLong(batch -> LongStream.of(batch.labels().toLongArray()))
                .toArray();
        double[][] logs = logProbabilities(runs.artifact().path(), first);
        double sum = 0;
        for (int row = 0; row < labels.length; row++) {
            sum -= logs[row][(int) labels[row]];
        }
        // Log-probabilities of two graphs in float32, in which logits of some units are rounded by 2e-7 a dozen times.
        assertThat(TinyRuns.column(run, "loss")[0]).isCloseTo(sum / labels.length, Percentage.withPercentage(1e-4));
        assertThat(TinyRuns.column(run, "response_tokens")[0]).isEqualTo(labels.length);
    }

    /** Divergences of a few hundredths from logits in float32, whose error is some 1e-6. */
    private static final double KL_TOLERANCE = 1e-5;

    @Test
    void theLedgerHoldsTheDivergencesThatTheForwardModelsGive() {
        TrainingConfig config = runs.anchor(folder.resolve("run")).with(ConfigKeys.ALPHA, 0.4);
        Path run = TinyRuns.run(config).run();
        List<JsonNode> ledger = TinyRuns.lines(run.resolve("ledger.jsonl"));
        assertThat(ledger)
                .extracting(line -> line.get("outer_iteration").asInt())
                .containsExactly(1, 2, 3);
        JsonNode second = ledger.get(1);
        assertThat(second.get("step").asInt()).isEqualTo(12);

        Path base = runs.artifact().path();
        Path before = run.resolve("checkpoint-6");
        Path student = run.resolve("checkpoint-12");
        Path reference = ModelFolder.resolve(runs.reference()).path();
        double bound = 0.4 * divergence(config, before, reference);
        assertThat(second.get("kl_step").asDouble())
                .isCloseTo(divergence(config, before, student), within(KL_TOLERANCE));
        assertThat(second.get("kl_bound").asDouble())
                .isCloseTo(bound, within(KL_TOLERANCE))
                .isGreaterThan(100 * KL_TOLERANCE);
        assertThat(second.get("kl_total").asDouble())
                .isCloseTo(divergence(config, base, student), within(KL_TOLERANCE));
        assertThat(second.get("kl_to_reference").asDouble())
                .isCloseTo(divergence(config, student, reference), within(KL_TOLERANCE));
        assertThat(second.get("kl_step_reverse").asDouble())
                .isCloseTo(divergence(config, student, before), within(KL_TOLERANCE));
        assertThat(second.get("kl_total_reverse").asDouble())
                .isCloseTo(divergence(config, student, base), within(KL_TOLERANCE));
        assertThat(second.get("kl_to_reference_reverse").asDouble())
                .isCloseTo(divergence(config, reference, student), within(KL_TOLERANCE));
        assertThat(second.get("ratio").asDouble())
                .isCloseTo(
                        second.get("kl_step").asDouble()
                                / second.get("kl_bound").asDouble(),
                        within(1e-12)); // a quotient of the same doubles
    }

    private static TrainingData data(TrainingConfig config) {
        return TrainingData.of(
                config.with(ConfigKeys.MAX_LENGTH, 64L), runs.artifact(), Examples.jsonLines(runs.rows()));
    }

    /** KL(first ‖ second), the mean over the response tokens of all rows. */
    private static double divergence(TrainingConfig config, Path first, Path second) {
        List<Batch> batches = data(config).inOrder(TinyRuns.ROWS);
        double[][] p = logProbabilities(first, batches);
        double[][] q = logProbabilities(second, batches);
        double sum = 0;
        for (int row = 0; row < p.length; row++) {
            for (int token = 0; token < p[row].length; token++) {
                sum += Math.exp(p[row][token]) * (p[row][token] - q[row][token]);
            }
        }
        return sum / p.length;
    }

    /** Log-probabilities at the response positions of all batches, from the graph that a plain session runs. */
    private static double[][] logProbabilities(Path model, List<Batch> batches) {
        try (InferenceSession session = InferenceSession.open(
                ModelFolder.resolve(model).path().resolve(ArtifactDirectory.FORWARD_MODEL),
                SessionSettings.defaults())) {
            return batches.stream()
                    .flatMap(batch -> logProbabilities(session, batch))
                    .toArray(double[][]::new);
        }
    }

    private static Stream<double[]> logProbabilities(InferenceSession session, Batch batch) {
        HostTensor logits = session.run(Map.of("input_ids", batch.inputIds()), List.of("logits"))
                .get("logits");
        int vocabulary = (int) logits.shape().dimension(2);
        float[] values = logits.toFloatArray();
        return Arrays.stream(batch.responsePositions().toLongArray())
                .mapToObj(position ->
                        Arrays.copyOfRange(values, (int) position * vocabulary, ((int) position + 1) * vocabulary))
                .map(RunMetricsTest::logSoftmax);
    }

    private static double[] logSoftmax(float[] logits) {
        double max = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            max = Math.max(max, logit);
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - max);
        }
        double[] logs = new double[logits.length];
        for (int i = 0; i < logs.length; i++) {
            logs[i] = logits[i] - max - Math.log(sum);
        }
        return logs;
    }
}
