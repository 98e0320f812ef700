package dev.holdfast.config;

import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * One key of the configuration.
 *
 * @param name the name in files and of the flag; a dot stands for nesting
 * @param type what it may be set to
 * @param defaultValue what holds where it is not set; empty for a path that has no default
 * @param jobs the jobs that take it
 * @param requiredBy the jobs that cannot run without it
 * @param help one line: what it does, in which unit
 */
public record ConfigKey<T>(
        String name, KeyType<T> type, Optional<T> defaultValue, Set<Job> jobs, Set<Job> requiredBy, String help) {
    public ConfigKey {
        Objects.requireNonNull(type, name);
        jobs = Set.copyOf(jobs);
        requiredBy = Set.copyOf(requiredBy);
    }

    /** The default as text, or nothing. */
    public Optional<String> defaultText() {
        return defaultValue.map(type::format);
    }

    /** What stands before the dot of the name, such as {@code data}; empty where there is no dot. */
    String section() {
        return name.substring(0, Math.max(0, name.indexOf('.')));
    }

    /** What stands after the dot of the name, or the whole name. */
    String leaf() {
        return name.substring(name.indexOf('.') + 1);
    }

    /** The flag that sets the key, with its leading dashes. */
    public String flagName() {
        return "--" + (equals(ConfigKeys.DATA_TRAIN) ? "data" : name);
    }

    /** Whether the key is set by naming it alone, as a flag without a value. */
    public boolean isSwitch() {
        return type instanceof BooleanType;
    }

    @Override
    public String toString() {
        return name;
    }
}
