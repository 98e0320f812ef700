package dev.holdfast.error;

/** A model is well-formed but of a kind that Holdfast does not train; the message lists what is supported. */
public final class UnsupportedModelException extends HoldfastException {
    public UnsupportedModelException(String message) {
        super(message);
    }

    public UnsupportedModelException(String message, Throwable cause) {
        super(message, cause);
    }
}
