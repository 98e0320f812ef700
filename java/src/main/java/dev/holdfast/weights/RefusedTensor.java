package dev.holdfast.weights;

import dev.holdfast.error.UnsupportedModelException;
import dev.holdfast.tensor.HostTensor;

/** A tensor in a format that is not converted to FLOAT: it may lie in the file as long as nobody asks for its values. */
record RefusedTensor(WeightInfo info, String supported) implements TableEntry {
    @Override
    public HostTensor readFloat(InputFile file) {
        throw new UnsupportedModelException(file.path() + ": tensor " + info.name() + ": expected one of " + supported
                + ", got " + info.format() + "; convert the model to one of these");
    }
}
