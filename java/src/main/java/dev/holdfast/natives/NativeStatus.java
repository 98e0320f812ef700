package dev.holdfast.natives;

import dev.holdfast.error.DeviceFailureException;
import dev.holdfast.error.RuntimeFailureException;

/** The status codes of {@code holdfast.h} as exceptions that carry the library's message. */
final class NativeStatus {
    static final int OK = 0;
    static final int INVALID_ARGUMENT = 1;
    static final int DEVICE_FAILURE = 4;

    private NativeStatus() {}

    /**
     * Does nothing for success.
     *
     * @throws IllegalArgumentException if the native function refused an argument
     * @throws DeviceFailureException if a device is lost
     * @throws RuntimeFailureException if the build or the machine cannot do it, or memory ran out
     */
    static void check(int status) {
        switch (status) {
            case OK -> {}
            case INVALID_ARGUMENT -> throw new IllegalArgumentException(HoldfastApi.lastError());
            case DEVICE_FAILURE -> throw new DeviceFailureException(HoldfastApi.lastError());
            default -> throw new RuntimeFailureException(HoldfastApi.lastError());
        }
    }
}
