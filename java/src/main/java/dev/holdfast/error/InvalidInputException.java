package dev.holdfast.error;

/** Inputs that are well-formed one by one do not fit together or hold nothing to work on, such as data without a response token. */
public final class InvalidInputException extends HoldfastException {
    public InvalidInputException(String message) {
        super(message);
    }

    public InvalidInputException(String message, Throwable cause) {
        super(message, cause);
    }
}
