package dev.holdfast.eval;

import dev.holdfast.data.Tokenizer;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.runtime.SessionSettings;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Tells how likely a model finds each of some answers of one token as the next one.
 *
 * <p>Ownership: the caller closes it. Thread safety: none.
 */
public final class ChoiceScorer implements AutoCloseable {
    private final ResponseLogits model;
    private final Tokenizer tokenizer;
    private final Map<String, Integer> idsByAnswer = new HashMap<>();

    private ChoiceScorer(ResponseLogits model, Tokenizer tokenizer) {
        this.model = model;
        this.tokenizer = tokenizer;
    }

    /**
     * Opens a packaged model, an artifact, a run (its latest checkpoint) or a checkpoint of a run.
     *
     * @throws InvalidInputException if the folder is none of these
     * @throws dev.holdfast.error.MalformedFileException if a file of it is missing or malformed
     * @throws dev.holdfast.error.RuntimeFailureException if ONNX Runtime refuses the model
     */
    public static ChoiceScorer open(Path path, SessionSettings settings) {
        ResponseLogits model = ResponseLogits.open(path, settings);
        try {
            return new ChoiceScorer(model, Tokenizer.load(model.tokenizer()));
        } catch (RuntimeException e) {
            model.close();
            throw e;
        }
    }

    /** The model's tokenizer, which lives as long as this. */
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /** The longest prompt, and one token more. */
    public int contextLength() {
        return model.maximumPositions();
    }

    /**
     * The log-probability, in nats, of each answer behind a prompt.
     *
     * @param prompt the ids; at least one, fewer than {@link #contextLength()}
     * @param answers different texts of one token each
     * @param behindBlank whether a blank stands before them, as where a text goes on
     * @throws InvalidInputException if an answer is more than one token, or no token of its own
     */
    public double[] logProbabilities(int[] prompt, List<String> answers, boolean behindBlank) {
        int[] ids = answers.stream()
                .mapToInt(answer -> idsByAnswer.computeIfAbsent((behindBlank ? " " : "") + answer, this::id))
                .toArray();
        double[] logProbabilities = new double[ids.length];
        model.visit(prompt, new int[] {prompt.length}, (index, logits) -> {
            for (int i = 0; i < ids.length; i++) {
                logProbabilities[i] = Scorer.logSoftmax(logits, ids[i]);
            }
        });
        return logProbabilities;
    }

    private int id(String answer) {
        int[] ids = tokenizer.encode(answer, false);
        if (ids.length != 1) {
            throw new InvalidInputException(tokenizer.file() + ": answer \"" + answer + "\": expected one token, got "
                    + ids.length + "; this model's choices cannot be weighed");
        }
        if (idsByAnswer.containsValue(ids[0])) {
            throw new InvalidInputException(
                    tokenizer.file() + ": answer \"" + answer
                            + "\": expected a token of its own, got the one of another answer; this model's choices cannot be weighed");
        }
        return ids[0];
    }

    /** Frees model and tokenizer. */
    @Override
    public void close() {
        model.close();
        tokenizer.close();
    }
}
