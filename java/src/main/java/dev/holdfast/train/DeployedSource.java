package dev.holdfast.train;

import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.artifact.GraphNames;
import dev.holdfast.files.FileDigest;
import dev.holdfast.onnx.DeployedDecoder;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.HostTensor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.stream.Collectors;

/**
 * A decoder as it is deployed: a packaged model of Holdfast's or one of another exporter's, with its own head and hidden size.
 *
 * @param path the folder of {@code model.onnx} and the tokenizer
 * @param decoder the decoder, cut before its head
 * @param digest SHA-256 of the digests of all its files
 */
record DeployedSource(Path path, DeployedDecoder decoder, String digest) implements FrozenSource {
    static DeployedSource of(Path path) {
        Path file = path.resolve(DeployableFolder.MODEL);
        String logits = GraphNames.LOGITS;
        if (DeployableFolder.isDeployable(path)) {
            DeployableFolder folder = DeployableFolder.open(path);
            file = folder.model();
            logits = folder.config().model().decoder().outputs().logits();
        }
        DeployedDecoder decoder = DeployedDecoder.read(file, logits);
        String digests = decoder.files().stream()
                .map(part -> FileDigest.of(part).sha256())
                .collect(Collectors.joining());
        return new DeployedSource(
                path,
                decoder,
                FileDigest.of(digests.getBytes(StandardCharsets.US_ASCII)).sha256());
    }

    @Override
    public Path tokenizer() {
        return path;
    }

    @Override
    public int vocabularySize() {
        return decoder.vocabularySize();
    }

    @Override
    public int hiddenSize() {
        return decoder.hiddenSize();
    }

    @Override
    public String weightsDigest() {
        return digest;
    }

    @Override
    public long weightBytes() {
        return decoder.files().stream()
                .mapToLong(file -> file.toFile().length())
                .sum();
    }

    @Override
    public boolean isAdapted() {
        return false;
    }

    @Override
    public FrozenModel open(FrozenHeads heads, SessionSettings settings) {
        byte[] model = decoder.hiddenModel(GraphNames.RESPONSE_POSITIONS, GraphNames.HIDDEN_STATES);
        return FrozenModel.open(path.toString(), model, path, head(heads), settings);
    }

    @Override
    public HostTensor head(FrozenHeads heads) {
        return decoder.head();
    }
}
