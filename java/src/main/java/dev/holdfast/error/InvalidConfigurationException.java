package dev.holdfast.error;

import java.util.List;

/** A configuration has problems; all of them are told together, one line each. */
public final class InvalidConfigurationException extends HoldfastException {
    private final transient List<String> problems;

    /**
     * @param problems at least one, each {@code <where>: <what>: expected ..., got ...}
     */
    public InvalidConfigurationException(List<String> problems) {
        super(String.join(System.lineSeparator(), problems));
        this.problems = List.copyOf(problems);
    }

    /** The problems, in the order of the configuration. */
    public List<String> problems() {
        return problems;
    }
}
