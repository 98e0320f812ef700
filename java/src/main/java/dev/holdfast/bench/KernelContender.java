package dev.holdfast.bench;

import dev.holdfast.loss.AnchorLossInputs;

/** An implementation of the anchor loss that is measured. */
interface KernelContender extends AutoCloseable {
    /** For example {@code holdfast}. */
    String implementation();

    /** Where it computes: {@code cpu}, {@code reference} or {@code java}. */
    String backend();

    /** The vector instructions it uses, as far as it tells; empty if it does not. */
    String instructionSet();

    /** Threads that it uses. */
    int threads();

    /** Computes loss and gradient; the gradient may overwrite the student's logits. */
    void run(AnchorLossInputs inputs);

    @Override
    void close();
}
