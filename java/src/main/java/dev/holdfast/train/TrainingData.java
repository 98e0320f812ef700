package dev.holdfast.train;

import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.artifact.Manifest;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Batch;
import dev.holdfast.data.BatchOptions;
import dev.holdfast.data.Batcher;
import dev.holdfast.data.EncodedExample;
import dev.holdfast.data.EncodedExamples;
import dev.holdfast.data.EncodingOptions;
import dev.holdfast.data.ExampleEncoder;
import dev.holdfast.data.Examples;
import dev.holdfast.data.Tokenizer;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;

/** Rows as token ids, and the batches that they are cut into. */
final class TrainingData {
    private final String name;
    private final EncodedExamples encoded;
    private final BatchOptions options;

    private TrainingData(String name, EncodedExamples encoded, BatchOptions options) {
        this.name = name;
        this.encoded = encoded;
        this.options = options;
    }

    static TrainingData of(TrainingConfig config, ArtifactDirectory artifact, Examples examples) {
        Manifest.Model model = artifact.manifest().model();
        int maxLength = config.maxLength();
        EncodingOptions encoding =
                new EncodingOptions(maxLength, config.onTooLong(), config.appendEos(), model.vocabularySize());
        try (Tokenizer tokenizer = Tokenizer.load(artifact.path())) {
            EncodedExamples encoded = new ExampleEncoder(tokenizer, encoding).encodeAll(examples);
            BatchOptions options = new BatchOptions(
                    config.batchSize(),
                    config.gradientAccumulationSteps(),
                    config.shuffle(),
                    config.seed(),
                    tokenizer.padId(),
                    Batcher.DEFAULT_LENGTH_MULTIPLE,
                    maxLength);
            return new TrainingData(examples.name(), encoded, options);
        }
    }

    Batcher batcher() {
        return new Batcher(encoded.examples(), options);
    }

    int rows() {
        return encoded.examples().size();
    }

    /** How many of the first rows it takes to have so many response tokens; all of them where they have fewer. */
    int rowsWith(int responseTokens) {
        int rows = 0;
        int tokens = 0;
        while (rows < rows() && tokens < responseTokens) {
            tokens += encoded.examples().get(rows++).responseTokens();
        }
        return rows;
    }

    /** Micro-batches in file order of the first rows, each weighted by the response tokens of all of them. */
    List<Batch> inOrder(int mostRows) {
        List<EncodedExample> rows = encoded.examples().subList(0, Math.min(mostRows, rows()));
        int parts = (rows.size() - 1) / options.microBatchSize() + 1;
        return new Batcher(rows, ordered(parts)).globalBatch(0, 0);
    }

    /** The rows by length, the longest first, and those of one length in file order. */
    List<EncodedExample> longestFirst() {
        return encoded.examples().stream()
                .sorted(Comparator.comparingInt(EncodedExample::length).reversed())
                .toList();
    }

    /** Batches of one micro-batch each, of some of the rows in their order. */
    Batcher oneByOne(List<EncodedExample> rows) {
        return new Batcher(rows, ordered(1));
    }

    private BatchOptions ordered(int accumulationSteps) {
        return new BatchOptions(
                options.microBatchSize(),
                accumulationSteps,
                false,
                0,
                options.padId(),
                options.lengthMultiple(),
                options.maxLength());
    }

    DataSummary summary() {
        return DataSummary.of(encoded);
    }

    /** Where the rows came from, and the digest of what they became. */
    Provenance.Input input() {
        return new Provenance.Input(name, digest());
    }

    /** The SHA-256 digest of all token ids and of which of them are learnt: the same for the same rows, tokenizer and template. */
    String digest() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            encoded.examples().forEach(example -> digest.update(bytes(example)));
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    private static byte[] bytes(EncodedExample example) {
        ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES + example.length() * (Integer.BYTES + 1));
        bytes.putInt(example.length());
        for (int i = 0; i < example.length(); i++) {
            bytes.putInt(example.ids()[i]).put((byte) (example.response()[i] ? 1 : 0));
        }
        return bytes.array();
    }
}
