package dev.holdfast.gradient;

import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.holdfast.error.RuntimeFailureException;
import dev.holdfast.natives.NativeLibrary;
import dev.holdfast.onnx.Value;
import dev.holdfast.runtime.SessionSettings;
import java.util.List;
import java.util.function.Function;

/** Checks with the operators of Holdfast's native library; skipped where the library lacks one of them. */
final class HoldfastOperators {
    private static final String MISSING = "is not a registered function/op";

    private HoldfastOperators() {}

    static void check(Function<GradientCase, List<Value>> build, long seed, boolean pending) {
        SessionSettings settings = SessionSettings.defaults()
                .withIntraOpThreads(1)
                .withOperatorLibrary(NativeLibrary.load().operatorLibrary());
        try {
            new GradientCheck(build, seed, settings).check(GradientOperators.HOLDFAST, pending);
        } catch (RuntimeFailureException e) {
            assumeFalse(e.getMessage().contains(MISSING), e.getMessage());
            throw e;
        }
    }
}
