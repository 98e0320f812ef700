package dev.holdfast.error;

/** Something outside the program's control went wrong; the message is complete and meant for the user. */
public abstract class HoldfastException extends RuntimeException {
    protected HoldfastException(String message) {
        super(message);
    }

    protected HoldfastException(String message, Throwable cause) {
        super(message, cause);
    }
}
