package dev.holdfast.error;

/** Training met a loss or gradient that is not a finite number; the message names the step and the last good checkpoint. */
public final class NonFiniteLossException extends HoldfastException {
    public NonFiniteLossException(String message) {
        super(message);
    }

    public NonFiniteLossException(String message, Throwable cause) {
        super(message, cause);
    }
}
