package dev.holdfast.train;

import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.files.FileDigest;
import dev.holdfast.onnx.ProductSubstitution;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.HostTensor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** An artifact, or a checkpoint of a run. */
record TrainedSource(ModelFolder folder) implements FrozenSource {
    @Override
    public Path path() {
        return folder.path();
    }

    @Override
    public Path tokenizer() {
        return folder.tokenizer();
    }

    @Override
    public int vocabularySize() {
        return folder.model().vocabularySize();
    }

    @Override
    public int hiddenSize() {
        return folder.model().hiddenSize();
    }

    /** {@inheritDoc} The same weights may stand beside graphs of other operators. */
    @Override
    public String digest() {
        String both = weightsDigest() + FileDigest.of(folder.hiddenModel()).sha256();
        return FileDigest.of(both.getBytes(StandardCharsets.US_ASCII)).sha256();
    }

    @Override
    public String weightsDigest() {
        return folder.weightsDigest();
    }

    @Override
    public long weightBytes() {
        return folder.weightBytes();
    }

    @Override
    public boolean isAdapted() {
        return folder.model().lora() != null;
    }

    @Override
    public FrozenModel open(FrozenHeads heads, SessionSettings settings) {
        Path model = folder.hiddenModel();
        return FrozenModel.open(model.toString(), ProductSubstitution.of(model), folder.path(), head(heads), settings);
    }

    @Override
    public HostTensor head(FrozenHeads heads) {
        return heads.of(folder);
    }
}
