package dev.holdfast.eval;

import dev.holdfast.config.TooLongRows;
import dev.holdfast.data.EncodedExample;
import dev.holdfast.data.EncodingOptions;
import dev.holdfast.data.ExampleEncoder;
import dev.holdfast.data.Examples;
import dev.holdfast.data.Row;
import dev.holdfast.data.Tokenizer;
import dev.holdfast.error.RuntimeFailureException;
import dev.holdfast.runtime.SessionSettings;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Tells how likely a model finds the responses of rows: log p of every response token, given all tokens before it. Rows are encoded as
 * training encodes them.
 *
 * <p>Ownership: the caller closes it. Thread safety: none.
 */
public final class Scorer implements AutoCloseable {
    private static final double[] NOTHING = {};

    private final ResponseLogits model;
    private final Tokenizer tokenizer;
    private final ExampleEncoder encoder;
    private final int longest;

    private Scorer(ResponseLogits model, Tokenizer tokenizer, boolean appendEos) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.longest = Math.max(2, model.maximumPositions());
        // One token beyond the limit tells a row that is cut from one that just fits.
        this.encoder = new ExampleEncoder(
                tokenizer, new EncodingOptions(longest + 1, TooLongRows.CUT, appendEos, model.vocabularySize()));
    }

    /**
     * Opens a packaged model, an artifact, a run (its latest checkpoint) or a checkpoint of a run.
     *
     * @param appendEos whether every response is closed by the end-of-sequence token, unless it already ends so; training does so unless
     *     told otherwise
     * @throws dev.holdfast.error.InvalidInputException if the folder is none of these, or has no end-of-sequence token to append
     * @throws dev.holdfast.error.MalformedFileException if a file of it is missing or malformed
     * @throws RuntimeFailureException if ONNX Runtime refuses the model
     */
    public static Scorer open(Path model, boolean appendEos, SessionSettings settings) {
        ResponseLogits logits = ResponseLogits.open(model, settings);
        Tokenizer tokenizer = null;
        try {
            tokenizer = Tokenizer.load(logits.tokenizer());
            return new Scorer(logits, tokenizer, appendEos);
        } catch (RuntimeException e) {
            logits.close();
            Optional.ofNullable(tokenizer).ifPresent(Tokenizer::close);
            throw e;
        }
    }

    /** The most tokens of a row, prompt included; longer rows are cut. */
    public int contextLength() {
        return longest;
    }

    /**
     * Scores all rows and writes a JSON line for each: {@code index}, {@code tokens}, {@code logprob_sum}, {@code token_logprobs}. A row
     * without a response token within {@link #contextLength()} has its line as well, with 0 tokens. The file appears when it is complete.
     *
     * @param listener hears of each row
     * @throws dev.holdfast.error.MalformedFileException if a row cannot be read
     * @throws dev.holdfast.error.InvalidInputException if a row cannot be encoded, or there is none
     * @throws dev.holdfast.error.FileAccessException if a file cannot be read or written
     */
    public ScoreSummary score(Examples examples, Path out, Consumer<RowScore> listener) {
        ScoreSummary[] summary = {ScoreSummary.EMPTY};
        try (JsonLinesOutput file = new JsonLinesOutput(out)) {
            examples.forEach(row -> {
                Optional<EncodedExample> example = encoder.encode(row);
                RowScore score = score(row, example);
                file.write(score);
                summary[0] =
                        summary[0].plus(score, example.filter(this::isTooLong).isPresent());
                listener.accept(score);
            });
            file.commit();
        }
        return summary[0];
    }

    private RowScore score(Row row, Optional<EncodedExample> example) {
        return RowScore.of(
                row.index(),
                example.map(encoded -> logProbabilities(row, encoded)).orElse(NOTHING));
    }

    private boolean isTooLong(EncodedExample example) {
        return example.length() > longest;
    }

    private double[] logProbabilities(Row row, EncodedExample example) {
        int length = Math.min(example.length(), longest);
        int[] ids = example.ids();
        int[] indices = IntStream.range(1, length)
                .filter(index -> example.response()[index])
                .toArray();
        double[] scores = new double[indices.length];
        int[] count = {0};
        if (indices.length > 0) {
            // What the last response token would be followed by is not asked.
            int[] context = Arrays.copyOf(ids, indices[indices.length - 1]);
            model.visit(
                    context,
                    indices,
                    (index, logits) -> scores[count[0]++] = finite(row, index, logSoftmax(logits, ids[index])));
        }
        return scores;
    }

    private static double finite(Row row, int index, double score) {
        if (!Double.isFinite(score)) {
            throw new RuntimeFailureException(row.where() + ": token " + index
                    + ": expected a finite log-probability, got " + score + "; the model's weights are damaged");
        }
        return score;
    }

    /** log softmax(z)_label = z_label − max z − log Σ exp(z − max z). */
    static double logSoftmax(FloatBuffer logits, int label) {
        double largest = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < logits.remaining(); i++) {
            largest = Math.max(largest, logits.get(i));
        }
        double sum = 0;
        for (int i = 0; i < logits.remaining(); i++) {
            sum += Math.exp(logits.get(i) - largest);
        }
        return logits.get(label) - largest - Math.log(sum);
    }

    /** Frees model and tokenizer. */
    @Override
    public void close() {
        model.close();
        tokenizer.close();
    }
}
