package dev.holdfast.eval;

import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.HostTensor;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;

/** The logits of a packaged decoder, some tokens at a time, which bounds the memory for them. */
final class PackagedLogits implements ResponseLogits {
    private static final int CHUNK = 128;

    private final DeployableFolder folder;
    private final CachedDecoder decoder;

    PackagedLogits(DeployableFolder folder, SessionSettings settings) {
        this.folder = folder;
        this.decoder = CachedDecoder.open(folder, settings);
    }

    @Override
    public Path tokenizer() {
        return folder.path();
    }

    @Override
    public int vocabularySize() {
        return folder.config().model().vocabSize();
    }

    @Override
    public int maximumPositions() {
        return folder.config().model().contextLength();
    }

    @Override
    public void visit(int[] ids, int[] indices, Visitor visitor) {
        try (CachedDecoder.Batch sequence = decoder.start(1)) {
            int next = 0;
            for (int start = 0; next < indices.length; start += CHUNK) {
                int end = Math.min(start + CHUNK, ids.length);
                int[] chunk = Arrays.copyOfRange(ids, start, end);
                if (indices[next] - 1 >= end) {
                    sequence.append(chunk);
                    continue;
                }
                HostTensor logits = sequence.appendAndPredict(chunk);
                for (; next < indices.length && indices[next] - 1 < end; next++) {
                    visitor.visit(indices[next], row(logits, indices[next] - 1 - start));
                }
            }
        }
    }

    private FloatBuffer row(HostTensor logits, int place) {
        return logits.floats().slice(place * vocabularySize(), vocabularySize());
    }

    @Override
    public void close() {
        decoder.close();
    }
}
