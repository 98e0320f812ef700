package dev.holdfast.runtime;

import ai.onnxruntime.OrtException;
import dev.holdfast.error.RuntimeFailureException;
import java.util.regex.Pattern;

/** Turns ONNX Runtime's failures into one line with a hint. */
final class OrtFailure {
    private static final String UNKNOWN_OPERATOR = "is not a registered function/op";
    private static final Pattern ERROR_CODE = Pattern.compile("^Error code - \\w+ - message: ");
    private static final Pattern INNER_CODE = Pattern.compile("^.*\\[ONNXRuntimeError\\] : \\d+ : \\w+ : ");

    /** A full path, a line and the signature of a C++ function. */
    private static final Pattern SIGNATURE =
            Pattern.compile("/\\S+\\.(?:cc|cpp|h):\\d+ [^(]*\\([^)]*\\)(?: const)?(?: \\[with [^]]*])? ");

    /** A file name, a line and the name of a C++ function. */
    private static final Pattern FUNCTION = Pattern.compile("^\\w+\\.(?:cc|cpp|h):\\d+ \\S+ ");

    private static final Pattern NODE = Pattern.compile(
            "^Non-zero status code returned while running (\\S+) node\\. Name:'([^']*)' Status Message: ");

    private OrtFailure() {}

    /**
     * The failure of a running session.
     *
     * @param where what was being done to what, for example {@code a/training_model.onnx}
     */
    static RuntimeFailureException of(String where, OrtException failure) {
        String message = reason(failure.getMessage());
        return new RuntimeFailureException(where + ": ONNX Runtime: " + message + hint(message), failure);
    }

    /** The failure of a session that could not be opened. */
    static RuntimeFailureException whileOpening(String where, OrtException failure) {
        String message = reason(failure.getMessage());
        String hint = message.contains(UNKNOWN_OPERATOR)
                ? hint(message)
                : "; a file is damaged or was made for another version: write it again";
        return new RuntimeFailureException(where + ": ONNX Runtime: " + message + hint, failure);
    }

    /** The first line without the places in ONNX Runtime's own sources; the names of files, nodes and tensors stay. */
    static String reason(String message) {
        String line = message == null ? "" : message.strip().lines().findFirst().orElse("");
        line = ERROR_CODE.matcher(line).replaceFirst("");
        line = INNER_CODE.matcher(line).replaceFirst("");
        line = FUNCTION.matcher(SIGNATURE.matcher(line).replaceAll(""))
                .replaceFirst("")
                .strip();
        line = NODE.matcher(line).replaceFirst("operator $1, node '$2': ");
        return line.isEmpty() ? "no reason given" : line;
    }

    private static String hint(String message) {
        if (containsAny(message, "bad_alloc", "Failed to allocate memory", "out of memory")) {
            return "; not enough memory: use smaller batches or shorter sequences";
        }
        if (containsAny(message, UNKNOWN_OPERATOR)) {
            return "; the model needs an operator library that the session was not given, or a newer one";
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
