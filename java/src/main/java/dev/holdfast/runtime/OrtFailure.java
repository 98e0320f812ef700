package dev.holdfast.runtime;

import ai.onnxruntime.OrtException;
import dev.holdfast.error.RuntimeFailureException;
import java.util.regex.Pattern;

/** Turns ONNX Runtime's failures into one line with a hint. */
final class OrtFailure {
    private static final Pattern ERROR_CODE = Pattern.compile("^Error code - \\w+ - message: ");

    private OrtFailure() {}

    /**
     * The failure to throw.
     *
     * @param where what was being done to what, for example {@code a/training_model.onnx}
     */
    static RuntimeFailureException of(String where, OrtException failure) {
        String message = firstLine(failure.getMessage());
        return new RuntimeFailureException(where + ": ONNX Runtime: " + message + hint(message), failure);
    }

    private static String firstLine(String message) {
        if (message == null) {
            return "no reason given";
        }
        return ERROR_CODE.matcher(message).replaceFirst("").strip().lines().findFirst().orElse("no reason given");
    }

    private static String hint(String message) {
        if (containsAny(message, "Protobuf parsing failed", "failed:Load model", "Failed to load model")) {
            return "; the file is damaged or no ONNX model: write it again";
        }
        if (containsAny(message, "bad_alloc", "Failed to allocate memory", "BFCArena", "out of memory")) {
            return "; not enough memory: lower per_device_train_batch_size or max_length";
        }
        if (containsAny(message, "is not a registered function/op")) {
            return "; the model needs an operator library that was not given to the session";
        }
        if (containsAny(message, "out of data bounds", "out of bounds")) {
            return "; an index, such as a token id or a label, lies beyond the table it points into";
        }
        if (containsAny(message, "No space left")) {
            return "; free some disk space";
        }
        return "";
    }

    private static boolean containsAny(String message, String... fragments) {
        for (String fragment : fragments) {
            if (message.contains(fragment)) {
                return true;
            }
        }
        return false;
    }
}
