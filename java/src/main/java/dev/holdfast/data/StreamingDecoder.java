package dev.holdfast.data;

import java.util.Arrays;

/**
 * Turns token ids into text as they arrive; text appears as soon as its characters are whole.
 *
 * <p>A character may be spread over several tokens, and a tokenizer may join or space tokens by their neighbours. Therefore the ids since
 * the last emission are decoded together with those before it, and what is new is emitted unless it ends in the replacement character
 * U+FFFD, which stands for an unfinished character. Thread safety: none.
 */
public final class StreamingDecoder {
    private final Tokenizer tokenizer;
    private final boolean skipSpecialTokens;
    private int[] window = new int[0];
    private int emitted;

    StreamingDecoder(Tokenizer tokenizer, boolean skipSpecialTokens) {
        this.tokenizer = tokenizer;
        this.skipSpecialTokens = skipSpecialTokens;
    }

    /** The text that this id completes; often a word, empty while a character is unfinished. */
    public String append(int id) {
        window = Arrays.copyOf(window, window.length + 1);
        window[window.length - 1] = id;
        return advance(false);
    }

    /** The text that was held back, unfinished characters as U+FFFD; call it when no more ids come. */
    public String finish() {
        return advance(true);
    }

    private String advance(boolean last) {
        String before = tokenizer.decode(Arrays.copyOf(window, emitted), skipSpecialTokens);
        String now = tokenizer.decode(window, skipSpecialTokens);
        boolean unfinished = now.endsWith("\uFFFD") && !last;
        if (unfinished || now.length() <= before.length()) {
            return "";
        }
        window = Arrays.copyOfRange(window, emitted, window.length);
        emitted = window.length;
        return now.substring(before.length());
    }
}
