package dev.holdfast.data;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A model's tokenizer: text to token ids and back, special tokens, chat template.
 *
 * <p>Ownership: holds native memory until it is closed. Thread safety: all methods may be called from several threads; closing waits for
 * calls that are under way.
 */
public final class Tokenizer implements AutoCloseable {
    private final Path file;
    private final Vocabulary vocabulary;
    private final SpecialTokens specialTokens;
    private final Optional<String> chatTemplate;
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private final TokenizersLibrary library;
    private final int[] leadingIds;
    private long handle;

    private Tokenizer(
            Path file, Vocabulary vocabulary, SpecialTokens specialTokens, Optional<String> chatTemplate, long handle) {
        this.file = file;
        this.vocabulary = vocabulary;
        this.specialTokens = specialTokens;
        this.chatTemplate = chatTemplate;
        this.library = TokenizerLibrary.get();
        this.handle = handle;
        this.leadingIds = findLeadingIds();
    }

    /**
     * The tokenizer of a model folder.
     *
     * <p>Reads {@code tokenizer.json}, and where they exist {@code tokenizer_config.json}, {@code special_tokens_map.json}, {@code
     * chat_template.jinja}, {@code generation_config.json} and {@code config.json}. Truncation and padding that {@code tokenizer.json}
     * asks for are switched off. Uses no network.
     *
     * @throws MalformedFileException if {@code tokenizer.json} is missing or one of the files is not what its name says
     * @throws dev.holdfast.error.RuntimeFailureException if the native tokenizer library cannot be loaded
     */
    public static Tokenizer load(Path directory) {
        TextFiles folder = new TextFiles(directory);
        Path file = directory.resolve("tokenizer.json");
        String json = folder.text("tokenizer.json")
                .orElseThrow(() -> MalformedFileException.of(file, "no such file; expected a Hugging Face tokenizer"));
        Vocabulary vocabulary = new Vocabulary(file, folder.parse("tokenizer.json", json));
        SpecialTokens specialTokens = SpecialTokens.of(folder);
        Optional<String> template = ChatTemplateSource.find(folder);
        return new Tokenizer(file, vocabulary, specialTokens, template, create(file, json));
    }

    private static long create(Path file, String json) {
        TokenizersLibrary library = TokenizerLibrary.get();
        try {
            long handle = library.createTokenizerFromString(json);
            library.disableTruncation(handle);
            library.disablePadding(handle);
            return handle;
        } catch (RuntimeException e) {
            throw MalformedFileException.of(file, "not a tokenizer: " + e.getMessage(), e);
        }
    }

    /**
     * The token ids of a text; special tokens that occur in the text become their ids.
     *
     * @param addSpecialTokens whether the tokenizer adds what its post-processor adds, such as a beginning-of-sequence token
     * @throws InvalidInputException if the text holds half a surrogate pair and is therefore no Unicode text
     */
    public int[] encode(String text, boolean addSpecialTokens) {
        requireUnicode(text);
        return withHandle(open -> {
            long encoding = library.encode(open, text, addSpecialTokens);
            try {
                return toInts(library.getTokenIds(encoding));
            } finally {
                library.deleteEncoding(encoding);
            }
        });
    }

    private static void requireUnicode(String text) {
        int index = UnicodeText.firstUnpairedSurrogate(text);
        if (index >= 0) {
            throw new InvalidInputException("text: expected Unicode, got half a surrogate pair at character " + index);
        }
    }

    /**
     * The text of token ids.
     *
     * @param skipSpecialTokens whether tokens such as {@code <|im_end|>} are left out
     */
    public String decode(int[] ids, boolean skipSpecialTokens) {
        long[] longs = Arrays.stream(ids).asLongStream().toArray();
        return withHandle(open -> library.decode(open, longs, skipSpecialTokens));
    }

    /** A decoder that turns ids into text one by one, special tokens left out if asked. */
    public StreamingDecoder streamingDecoder(boolean skipSpecialTokens) {
        return new StreamingDecoder(this, skipSpecialTokens);
    }

    /** The highest token id plus one, added tokens included. */
    public int vocabularySize() {
        return vocabulary.size();
    }

    /** The beginning-of-sequence id, if the model has one. */
    public OptionalInt bosId() {
        return id(specialTokens.bos(), specialTokens.bosId());
    }

    /** The id that ends a response in training, if the model has one. */
    public OptionalInt eosId() {
        return id(specialTokens.eos(), specialTokens.firstStopId());
    }

    /** The ids that end a generation, ascending: {@link #eosId()} and those that the model's configuration lists. */
    public Set<Integer> stopIds() {
        Set<Integer> ids = new TreeSet<>(specialTokens.stopIds());
        eosId().ifPresent(ids::add);
        return ids;
    }

    /** The id to pad with: the padding token, else the end-of-sequence token, else 0. */
    public int padId() {
        return id(specialTokens.pad(), specialTokens.padId()).orElseGet(() -> eosId().orElse(0));
    }

    /** Whether a token is marked special, such as {@code <|im_end|>}. */
    public boolean isSpecial(int id) {
        return vocabulary.isSpecial(id);
    }

    /** The ids that the tokenizer adds in front of a text when it adds special tokens; often none, or the beginning of sequence. */
    public int[] leadingIds() {
        return leadingIds.clone();
    }

    /** Whether the model has a chat template. */
    public boolean hasChatTemplate() {
        return chatTemplate.isPresent();
    }

    /**
     * The model's chat template.
     *
     * @throws InvalidInputException if the model has none
     */
    public ChatTemplate chatTemplate() {
        String source = chatTemplate.orElseThrow(
                () -> new InvalidInputException(
                        file.resolveSibling("tokenizer_config.json")
                                + ": the model has no chat template; use rows of prompt and completion, or add a chat_template.jinja"));
        return ChatTemplate.of(
                source, specialTokens.bos().orElse(""), specialTokens.eos().orElse(""));
    }

    /** The tokenizer file this was read from. */
    public Path file() {
        return file;
    }

    private OptionalInt id(Optional<String> token, Optional<Integer> configured) {
        OptionalInt id = token.map(vocabulary::id).orElse(OptionalInt.empty());
        if (id.isPresent() || configured.isEmpty()) {
            return id;
        }
        return OptionalInt.of(configured.get());
    }

    /** Compares an encoding with and without special tokens; what stands before the bare one is what the tokenizer adds in front. */
    private int[] findLeadingIds() {
        int[] bare = encode("a", false);
        int[] full = encode("a", true);
        for (int start = 0; start + bare.length <= full.length; start++) {
            if (Arrays.equals(bare, Arrays.copyOfRange(full, start, start + bare.length))) {
                return Arrays.copyOf(full, start);
            }
        }
        return new int[0];
    }

    private interface Call<T> {
        T apply(long handle);
    }

    private <T> T withHandle(Call<T> call) {
        lock.readLock().lock();
        try {
            if (handle == 0) {
                throw new IllegalStateException(file + ": the tokenizer is closed");
            }
            return call.apply(handle);
        } finally {
            lock.readLock().unlock();
        }
    }

    private static int[] toInts(long[] values) {
        return Arrays.stream(values).mapToInt(Math::toIntExact).toArray();
    }

    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            if (handle != 0) {
                library.deleteTokenizer(handle);
                handle = 0;
            }
        } finally {
            lock.writeLock().unlock();
        }
    }
}
