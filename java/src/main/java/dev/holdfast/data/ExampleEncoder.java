package dev.holdfast.data;

import dev.holdfast.config.TooLongRows;
import dev.holdfast.error.HoldfastException;
import dev.holdfast.error.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Turns examples into token ids and marks the tokens to learn.
 *
 * <ul>
 *   <li>Prompt and completion, instruction and output: the ids that the tokenizer adds in front (a beginning of sequence, where the model
 *       has one), the prompt, then the completion as response. The ids of the prompt are those of the prompt alone.
 *   <li>Messages: rendered by the chat template; of each assistant turn the content and its closing token are response, the white space
 *       that a template puts behind the closing token is not.
 *   <li>Text: every token is response.
 * </ul>
 *
 * <p>The first token of a row is never learnt, for nothing precedes it. Tokens behind the last response token are left out. With {@code
 * appendEos} the end-of-sequence token closes the response of a row unless its last token already ends a generation.
 */
public final class ExampleEncoder {
    private static final int PARALLEL_ROWS = 256;

    private final Tokenizer tokenizer;
    private final EncodingOptions options;
    private final SegmentEncoder segmentEncoder;
    private final Optional<Conversation> conversation;

    /**
     * An encoder for a model; the tokenizer is used, not owned.
     *
     * @throws InvalidInputException if the end-of-sequence token is to be appended and the tokenizer has none
     */
    public ExampleEncoder(Tokenizer tokenizer, EncodingOptions options) {
        this.tokenizer = tokenizer;
        this.options = options;
        this.segmentEncoder = new SegmentEncoder(tokenizer);
        this.conversation = tokenizer.hasChatTemplate()
                ? Optional.of(new Conversation(tokenizer.chatTemplate()))
                : Optional.empty();
        if (options.appendEos() && tokenizer.eosId().isEmpty()) {
            throw new InvalidInputException(
                    tokenizer.file()
                            + ": append_eos: expected an end-of-sequence token, the tokenizer has none; set append_eos to false");
        }
    }

    /** A row's ids, before any limit on its length. */
    private record Draft(TokenRow tokens, boolean lastTurnOnly) {}

    /** What became of a row: a draft, or the failure to make one. */
    private record Outcome(Row row, Draft draft, HoldfastException failure) {}

    /**
     * All rows that can be learnt from.
     *
     * @throws InvalidInputException if a row cannot be encoded, an id is not in the model's vocabulary, or no row remains
     */
    public EncodedExamples encodeAll(Examples examples) {
        Collector collector = new Collector();
        List<Row> waiting = new ArrayList<>();
        examples.forEach(row -> {
            waiting.add(row);
            if (waiting.size() == PARALLEL_ROWS) {
                addAll(waiting, collector);
            }
        });
        addAll(waiting, collector);
        return collector.finish(examples.name());
    }

    /** Encodes rows on all processors and adds them in their order, so that the first faulty row is the one that is told. */
    private void addAll(List<Row> rows, Collector collector) {
        rows.parallelStream().map(this::outcome).toList().forEach(collector::add);
        rows.clear();
    }

    private Outcome outcome(Row row) {
        try {
            return new Outcome(row, draft(row), null);
        } catch (HoldfastException e) {
            return new Outcome(row, null, e);
        }
    }

    /**
     * One row, cut to the limit whatever the options say about longer rows.
     *
     * @return nothing if no token of the row is learnt
     * @throws InvalidInputException if the row cannot be encoded or an id is not in the model's vocabulary
     */
    public Optional<EncodedExample> encode(Row row) {
        return limited(row, draft(row).tokens());
    }

    private Draft draft(Row row) {
        try {
            Draft draft = draft(row.example());
            requireKnownIds(draft.tokens());
            return draft;
        } catch (InvalidInputException e) {
            throw new InvalidInputException(row.where() + ": " + e.getMessage(), e);
        }
    }

    private Draft draft(Example example) {
        if (example instanceof Example.PromptCompletion pair) {
            return plain(List.of(new Segment(pair.prompt(), false), new Segment(pair.completion(), true)));
        } else if (example instanceof Example.Instruction instruction) {
            return plain(List.of(new Segment(instruction.prompt(), false), new Segment(instruction.output(), true)));
        } else if (example instanceof Example.Text text) {
            return plain(List.of(new Segment(text.text(), true)));
        }
        return conversation((Example.Messages) example);
    }

    private Draft plain(List<Segment> segments) {
        TokenRow row = new TokenRow();
        row.append(tokenizer.leadingIds(), false);
        segmentEncoder.encode(segments, row);
        appendEos(row);
        return new Draft(row, false);
    }

    private Draft conversation(Example.Messages example) {
        Conversation.Split split = conversation
                .orElseThrow(() -> new InvalidInputException("the row has messages but the model has no "
                        + "chat template: expected prompt and completion, text, or instruction and output"))
                .split(example);
        TokenRow row = new TokenRow();
        segmentEncoder.encode(split.segments(), row);
        excludeSpaceBehindClosingTokens(row);
        row.truncateBehindLastResponse();
        if (row.length() > 0) {
            appendEos(row);
        }
        return new Draft(row, split.lastTurnOnly());
    }

    private void excludeSpaceBehindClosingTokens(TokenRow row) {
        int end = row.length();
        while (end > 0) {
            int start = end;
            while (start > 0 && row.isResponse(start - 1) == row.isResponse(end - 1)) {
                start--;
            }
            if (row.isResponse(end - 1)) {
                row.exclude(closingEnd(row, start, end), end);
            }
            end = start;
        }
    }

    /** The index behind the closing token of a turn; the turn's end if text follows its last special token or it has none. */
    private int closingEnd(TokenRow row, int start, int end) {
        int closing = end;
        while (closing > start && !tokenizer.isSpecial(row.id(closing - 1))) {
            closing--;
        }
        boolean closed = closing > start
                && tokenizer.decode(row.ids(closing, end), false).isBlank();
        return closed ? closing : end;
    }

    private void appendEos(TokenRow row) {
        if (!options.appendEos()) {
            return;
        }
        int eos = tokenizer.eosId().orElseThrow();
        boolean ended = row.length() > 0
                && row.isResponse(row.length() - 1)
                && (row.id(row.length() - 1) == eos || tokenizer.stopIds().contains(row.id(row.length() - 1)));
        if (!ended) {
            row.append(new int[] {eos}, true);
        }
    }

    private void requireKnownIds(TokenRow row) {
        for (int index = 0; index < row.length(); index++) {
            if (row.id(index) >= options.modelVocabularySize()) {
                throw new InvalidInputException("token \"" + tokenizer.decode(row.ids(index, index + 1), false)
                        + "\": expected an id below the model's vocabulary of " + options.modelVocabularySize()
                        + ", got " + row.id(index)
                        + "; the tokenizer does not belong to the model");
            }
        }
    }

    private Optional<EncodedExample> limited(Row row, TokenRow tokens) {
        if (tokens.length() > options.maxLength()) {
            tokens.truncate(options.maxLength());
        }
        if (tokens.length() > 0) {
            tokens.exclude(0, 1);
        }
        tokens.truncateBehindLastResponse();
        return tokens.length() == 0 ? Optional.empty() : Optional.of(tokens.toExample(row.index()));
    }

    /** Gathers encoded rows and counts what happened to them. */
    private final class Collector {
        private final List<EncodedExample> examples = new ArrayList<>();
        private long rows;
        private long cut;
        private long droppedAsTooLong;
        private long droppedWithoutResponse;
        private long lastTurnOnly;
        private String firstWithoutResponse = "";

        void add(Outcome outcome) {
            if (outcome.failure() != null) {
                throw outcome.failure();
            }
            rows++;
            Row row = outcome.row();
            Draft draft = outcome.draft();
            boolean tooLong = draft.tokens().length() > options.maxLength();
            if (tooLong && options.onTooLong() == TooLongRows.DROP) {
                droppedAsTooLong++;
                return;
            }
            Optional<EncodedExample> example = limited(row, draft.tokens());
            if (example.isEmpty()) {
                countWithoutResponse(row);
                return;
            }
            examples.add(example.get());
            cut += tooLong ? 1 : 0;
            lastTurnOnly += draft.lastTurnOnly() ? 1 : 0;
        }

        private void countWithoutResponse(Row row) {
            firstWithoutResponse = droppedWithoutResponse == 0 ? row.where() : firstWithoutResponse;
            droppedWithoutResponse++;
        }

        EncodedExamples finish(String name) {
            if (!examples.isEmpty()) {
                return new EncodedExamples(examples, rows, cut, droppedAsTooLong, droppedWithoutResponse, lastTurnOnly);
            }
            if (droppedWithoutResponse > 0) {
                throw new InvalidInputException(firstWithoutResponse
                        + ": no response token: expected at least one within max_length " + options.maxLength()
                        + ", got none in any of the " + rows + " rows; raise max_length or check the completions");
            }
            throw new InvalidInputException(name + ": no row left: all " + rows + " rows are longer than max_length "
                    + options.maxLength() + "; raise it or set on_too_long to cut");
        }
    }
}
