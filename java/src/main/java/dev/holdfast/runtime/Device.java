package dev.holdfast.runtime;

import dev.holdfast.error.InvalidConfigurationException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a session computes.
 *
 * @param kind the kind of device
 * @param index which of several devices of the kind, from 0; 0 for the CPU
 */
public record Device(Kind kind, int index) {
    /** The processor of the host. */
    public static final Device CPU = new Device(Kind.CPU, 0);

    private static final Pattern CUDA = Pattern.compile("cuda(?::(\\d{1,4}))?");

    /** The kinds of devices. */
    public enum Kind {
        CPU,
        CUDA
    }

    public Device {
        if (index < 0 || kind == Kind.CPU && index != 0) {
            throw new IllegalArgumentException(
                    "device " + kind + ": expected an index >= 0 (0 for the CPU), got " + index);
        }
    }

    /**
     * The device with this name: {@code cpu}, {@code cuda} (the first one) or {@code cuda:N}.
     *
     * @throws InvalidConfigurationException if the name is another
     */
    public static Device parse(String name) {
        Matcher cuda = CUDA.matcher(name);
        if (cuda.matches()) {
            return new Device(Kind.CUDA, cuda.group(1) == null ? 0 : Integer.parseInt(cuda.group(1)));
        }
        if (name.equals("cpu")) {
            return CPU;
        }
        throw new InvalidConfigurationException(List.of("device: expected cpu, cuda or cuda:N, got " + name));
    }

    @Override
    public String toString() {
        return kind == Kind.CPU ? "cpu" : "cuda:" + index;
    }
}
