package dev.holdfast.error;

/** ONNX Runtime or a native library failed or is missing; the message carries the first cause. */
public final class RuntimeFailureException extends HoldfastException {
    public RuntimeFailureException(String message) {
        super(message);
    }

    public RuntimeFailureException(String message, Throwable cause) {
        super(message, cause);
    }
}
