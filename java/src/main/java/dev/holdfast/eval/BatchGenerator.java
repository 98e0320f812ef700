package dev.holdfast.eval;

import dev.holdfast.data.StreamingDecoder;
import dev.holdfast.data.Tokenizer;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.HostTensor;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Continues several prompts at once with a packaged model.
 *
 * <p>Shorter prompts are padded on the left, where nothing sees the padding; sequences that have come to an end leave the batch once
 * half of
 * it has. Each prompt's tokens are those that {@link Generator} chooses, up to rounding: matrix products of several rows may differ from
 * those of one in the last bits, by less than 1e-4 in a logit.
 *
 * <p>Ownership: the caller closes it. Thread safety: none.
 */
public final class BatchGenerator implements AutoCloseable {
    /** Tokens of each prompt that go into the model at once, which bounds the memory. */
    private static final int CHUNK = 128;

    private final PackagedModel model;

    private BatchGenerator(PackagedModel model) {
        this.model = model;
    }

    /**
     * Opens a packaged model.
     *
     * @throws dev.holdfast.error.InvalidInputException if the folder is missing, or is not packaged yet
     * @throws dev.holdfast.error.MalformedFileException if a file of it is missing or malformed
     * @throws dev.holdfast.error.RuntimeFailureException if ONNX Runtime refuses the model
     */
    public static BatchGenerator open(Path packaged, SessionSettings settings) {
        return new BatchGenerator(PackagedModel.open(packaged, settings));
    }

    /** The longest sequence of the model, prompt included, in tokens. */
    public int contextLength() {
        return model.contextLength();
    }

    /** The model's tokenizer, which lives as long as this. */
    public Tokenizer tokenizer() {
        return model.tokenizer();
    }

    /**
     * Continues prompts, each until the model ends it, one of the texts occurs, or the limit is reached.
     *
     * @param prompts the ids of each prompt; at least one, each shorter than {@link #contextLength()}
     * @param options how tokens are chosen; every prompt draws with the seed as if it were alone
     * @param ends texts that end a response
     * @return the responses, in the order of the prompts
     * @throws dev.holdfast.error.InvalidInputException if a prompt is empty or leaves no room in the context
     */
    public List<Response> generate(List<int[]> prompts, GenerationOptions options, List<String> ends) {
        prompts.forEach(model::requireFit);
        List<Row> rows =
                prompts.stream().map(prompt -> new Row(prompt, options, ends)).toList();
        try (CachedDecoder.Batch batch = model.decoder().start(rows.size())) {
            read(batch, prompts);
            advance(batch, rows);
        }
        return rows.stream().map(Row::response).toList();
    }

    /** Takes in all tokens but the last of each prompt. */
    private static void read(CachedDecoder.Batch batch, List<int[]> prompts) {
        int longest = prompts.stream().mapToInt(prompt -> prompt.length).max().orElseThrow();
        for (int start = 0; start < longest - 1; start += CHUNK) {
            int from = start;
            int to = Math.min(start + CHUNK, longest - 1);
            batch.append(prompts.stream()
                    .map(prompt -> padded(prompt, from - (longest - prompt.length), to - (longest - prompt.length)))
                    .toArray(int[][]::new));
        }
    }

    private static int[] padded(int[] prompt, int from, int to) {
        return IntStream.range(from, to)
                .map(place -> place < 0 ? CachedDecoder.Batch.PADDING : prompt[place])
                .toArray();
    }

    private static void advance(CachedDecoder.Batch batch, List<Row> rows) {
        List<Row> members = rows;
        while (members.stream().anyMatch(Row::isOpen)) {
            int[] open = openRows(members);
            if (2 * open.length <= members.size()) {
                batch.keep(open);
                List<Row> former = members;
                members = Arrays.stream(open).mapToObj(former::get).toList();
            }
            HostTensor logits =
                    batch.appendAndPredict(members.stream().map(Row::next).toArray(int[][]::new));
            choose(members, logits);
        }
    }

    private static int[] openRows(List<Row> members) {
        return IntStream.range(0, members.size())
                .filter(index -> members.get(index).isOpen())
                .toArray();
    }

    private static void choose(List<Row> members, HostTensor logits) {
        int width = logits.elementCount() / members.size();
        for (int index = 0; index < members.size(); index++) {
            if (members.get(index).isOpen()) {
                members.get(index).choose(logits.floats().slice(index * width, width));
            }
        }
    }

    /** One prompt and what is generated of it. */
    private final class Row {
        private final int most;
        private final TokenSampler sampler;
        private final List<String> ends;
        private final StreamingDecoder words = model.tokenizer().streamingDecoder(true);
        private final StringBuilder text = new StringBuilder();
        private int last;
        private int count;
        private boolean ended;
        private boolean endedByText;

        Row(int[] prompt, GenerationOptions options, List<String> ends) {
            this.most = Math.min(options.maxNewTokens(), contextLength() - prompt.length);
            this.sampler = new TokenSampler(options);
            this.ends = ends;
            this.last = prompt[prompt.length - 1];
        }

        boolean isOpen() {
            return !ended && count < most;
        }

        int[] next() {
            return new int[] {isOpen() ? last : CachedDecoder.Batch.PADDING};
        }

        void choose(FloatBuffer logits) {
            last = sampler.choose(logits);
            count++;
            if (model.stopIds().contains(last)) {
                ended = true;
            } else {
                append(words.append(last));
            }
        }

        private void append(String piece) {
            int searched = text.length();
            text.append(piece);
            for (String end : ends) {
                int place = text.indexOf(end, Math.max(0, searched - end.length()));
                if (place >= 0) {
                    text.setLength(place);
                    ended = true;
                    endedByText = true;
                }
            }
        }

        Response response() {
            boolean isCut = !ended;
            if (!endedByText) {
                append(words.finish());
            }
            return new Response(text.toString(), count, isCut);
        }
    }

    /** Frees model and tokenizer. */
    @Override
    public void close() {
        model.close();
    }
}
