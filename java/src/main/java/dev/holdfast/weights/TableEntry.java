package dev.holdfast.weights;

import dev.holdfast.tensor.HostTensor;

/** A tensor of a file: known, and perhaps readable. */
interface TableEntry {
    WeightInfo info();

    /** The values as a new FLOAT tensor. */
    HostTensor readFloat(InputFile file);
}
