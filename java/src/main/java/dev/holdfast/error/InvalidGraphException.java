package dev.holdfast.error;

/** An ONNX graph cannot be built, differentiated or run; the message names the node and its operator. */
public final class InvalidGraphException extends HoldfastException {
    public InvalidGraphException(String message) {
        super(message);
    }

    public InvalidGraphException(String message, Throwable cause) {
        super(message, cause);
    }
}
