package dev.holdfast.error;

/** An accelerator failed in the midst of work: what lies in its memory must be considered lost, and the process started anew. */
public final class DeviceFailureException extends HoldfastException {
    public DeviceFailureException(String message) {
        super(message);
    }
}
