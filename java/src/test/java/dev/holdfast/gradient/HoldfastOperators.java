package dev.holdfast.gradient;

import dev.holdfast.natives.NativeLibrary;
import dev.holdfast.onnx.Kernels;
import dev.holdfast.onnx.Value;
import dev.holdfast.runtime.SessionSettings;
import java.util.List;
import java.util.function.Function;

/** Checks with the operators of Holdfast's native library. */
final class HoldfastOperators {
    private HoldfastOperators() {}

    static void check(Function<GradientCase, List<Value>> build, long seed, boolean pending) {
        SessionSettings settings = SessionSettings.defaults()
                .withIntraOpThreads(1)
                .withOperatorLibrary(NativeLibrary.load().operatorLibrary());
        new GradientCheck(build, seed, settings).check(Kernels.HOLDFAST, pending);
    }
}
