package dev.holdfast.bench;

import java.util.OptionalInt;
import java.util.OptionalLong;

/** An implementation of the anchor loss that is measured, on inputs of its own in several sets. */
interface KernelContender extends AutoCloseable {
    /** For example {@code holdfast}. */
    String implementation();

    /** Where it computes: {@code cpu}, {@code reference}, {@code java} or {@code cuda}. */
    String backend();

    /** The vector instructions it uses, or the architecture, as far as it tells; empty if it does not. */
    String instructionSet();

    /** Threads of the processor that it uses; empty if another processor does the work. */
    OptionalInt threads();

    /** Writes anew what an earlier run has overwritten; not measured. */
    void prepare(int run);

    /** Computes loss and gradient once, on the set of this run; the gradient may overwrite the student's logits. */
    double milliseconds(int run);

    /** Bytes that a run takes beyond logits and gradient, if the contender knows; otherwise what becomes resident is measured. */
    default OptionalLong extraBytes() {
        return OptionalLong.empty();
    }

    @Override
    void close();
}
