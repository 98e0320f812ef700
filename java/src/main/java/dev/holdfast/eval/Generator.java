package dev.holdfast.eval;

import dev.holdfast.data.Message;
import dev.holdfast.data.StreamingDecoder;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.runtime.SessionSettings;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * Continues texts with a packaged model, token by token.
 *
 * <p>Ownership: the caller closes it. Thread safety: several threads may generate at once; closing needs that none does.
 */
public final class Generator implements AutoCloseable {
    /** Tokens of a prompt that go into the model at once, which bounds the memory for their logits. */
    private static final int CHUNK = 128;

    private static final double NANOS_PER_SECOND = 1e9;

    private final PackagedModel model;

    private Generator(PackagedModel model) {
        this.model = model;
    }

    /**
     * Opens a packaged model.
     *
     * @throws InvalidInputException if the folder is missing, or is not packaged yet
     * @throws MalformedFileException if a file of it is missing or malformed
     * @throws dev.holdfast.error.RuntimeFailureException if ONNX Runtime refuses the model
     */
    public static Generator open(Path packaged, SessionSettings settings) {
        return new Generator(PackagedModel.open(packaged, settings));
    }

    /** The longest sequence of the model, prompt included, in tokens. */
    public int contextLength() {
        return model.contextLength();
    }

    /**
     * Continues a text, to which the tokenizer adds its special tokens.
     *
     * @param listener hears each piece of text as soon as its characters are whole
     * @throws InvalidInputException if the text is empty, or leaves no room in the model's context
     */
    public Generation complete(String prompt, GenerationOptions options, Consumer<String> listener) {
        return generate(model.tokenizer().encode(requireText(prompt), true), options, listener);
    }

    /**
     * Answers a conversation, put into words by the model's own chat template.
     *
     * @param messages the turns, the last of which the model answers
     * @param listener hears each piece of text as soon as its characters are whole
     * @throws InvalidInputException if the model has no chat template, it refuses the conversation, or no room is left in the context
     */
    public Generation chat(List<Message> messages, GenerationOptions options, Consumer<String> listener) {
        if (messages.isEmpty()) {
            throw new InvalidInputException("messages: expected at least one, got none");
        }
        if (!model.tokenizer().hasChatTemplate()) {
            throw new InvalidInputException(
                    model.path() + ": the model has no chat template to put messages into words;"
                            + " give it the whole text as a prompt (--prompt)");
        }
        String prompt = model.tokenizer().chatTemplate().render(messages, true);
        return generate(model.tokenizer().encode(requireText(prompt), false), options, listener);
    }

    private static String requireText(String prompt) {
        if (prompt.isEmpty()) {
            throw new InvalidInputException("prompt: expected a text, got an empty one");
        }
        return prompt;
    }

    private Generation generate(int[] promptIds, GenerationOptions options, Consumer<String> listener) {
        model.requireFit(promptIds);
        int most = Math.min(options.maxNewTokens(), contextLength() - promptIds.length);
        TokenSampler sampler = new TokenSampler(options);
        StreamingDecoder words = model.tokenizer().streamingDecoder(true);
        StringBuilder text = new StringBuilder();
        Consumer<String> pieces = piece -> {
            if (!piece.isEmpty()) {
                text.append(piece);
                listener.accept(piece);
            }
        };
        try (CachedDecoder.Batch sequence = model.decoder().start(1)) {
            read(sequence, promptIds);
            long started = System.nanoTime();
            int[] ids = continueFrom(
                    sequence, promptIds[promptIds.length - 1], most, sampler, id -> pieces.accept(words.append(id)));
            double seconds = (System.nanoTime() - started) / NANOS_PER_SECOND;
            pieces.accept(words.finish());
            return new Generation(promptIds, ids, text.toString(), ids.length / seconds);
        }
    }

    /** Takes in all tokens of a prompt but the last, after which the first token is chosen. */
    private static void read(CachedDecoder.Batch sequence, int[] promptIds) {
        int end = promptIds.length - 1;
        for (int start = 0; start < end; start += CHUNK) {
            sequence.append(Arrays.copyOfRange(promptIds, start, Math.min(start + CHUNK, end)));
        }
    }

    private interface TokenListener {
        void chosen(int id);
    }

    private int[] continueFrom(
            CachedDecoder.Batch sequence, int last, int most, TokenSampler sampler, TokenListener listener) {
        int[] ids = new int[most];
        int count = 0;
        int id = last;
        while (count < most) {
            id = sampler.choose(sequence.appendAndPredict(new int[] {id}).floats());
            ids[count++] = id;
            if (model.stopIds().contains(id)) {
                break;
            }
            listener.chosen(id);
        }
        return Arrays.copyOf(ids, count);
    }

    /** Frees model and model.tokenizer(). */
    @Override
    public void close() {
        model.close();
    }
}
