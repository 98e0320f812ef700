package dev.holdfast.runtime;

import ai.onnxruntime.OrtEnvironment;
import dev.holdfast.error.RuntimeFailureException;

/** A program that uses ONNX Runtime on its own before booting it for training. */
final class LateBoot {
    private LateBoot() {}

    public static void main(String[] arguments) {
        OrtEnvironment.getEnvironment();
        try {
            OrtRuntime.boot();
            System.out.println("booted");
        } catch (RuntimeFailureException e) {
            System.out.println(e.getMessage());
        }
    }
}
