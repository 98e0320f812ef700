package dev.holdfast.train;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.artifact.JsonLinesFile;
import java.util.List;

/** What a run measures, in its files: each line of metrics, evaluation, retention or ledger also goes to TensorBoard. */
final class RunLog {
    private final RunDirectory directory;
    private final int firstStep;
    private TensorBoardFile events;

    /**
     * The log of a session.
     *
     * @param firstStep steps done before it
     */
    RunLog(RunDirectory directory, int firstStep) {
        this.directory = directory;
        this.firstStep = firstStep;
    }

    void step(StepMetrics metrics) {
        record(directory.metrics(), metrics);
    }

    void evaluation(EvaluationMetrics metrics) {
        record(directory.evaluations(), metrics);
    }

    boolean hasEvaluation(int step) {
        return directory.evaluations().has(step, EvaluationMetrics.LOSS);
    }

    void retention(RetentionMetrics metrics) {
        record(directory.retention(), metrics);
    }

    boolean hasRetention(int step) {
        return directory.retention().has(step, RetentionMetrics.LOSS);
    }

    void drift(LedgerEntry entry) {
        record(directory.ledger(), entry);
    }

    boolean hasDrift(int step) {
        return directory.ledger().has(step, LedgerEntry.KL_TOTAL);
    }

    /** What the ledger says so far. */
    List<JsonNode> ledger() {
        return directory.ledger().read();
    }

    void alpha(AlphaEntry entry) {
        record(directory.alphas(), entry);
    }

    /** The weights of the reference that were chosen so far. */
    List<JsonNode> alphas() {
        return directory.alphas().read();
    }

    /** A session that measures nothing leaves no file of events. */
    private void record(JsonLinesFile file, Object line) {
        file.append(line);
        if (events == null) {
            events = TensorBoardFile.begin(directory.path(), firstStep + 1);
        }
        events.append(line);
    }
}
