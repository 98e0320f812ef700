package dev.holdfast.config;

import java.util.Optional;

/**
 * A key and its value as somebody wrote them.
 *
 * @param name the key as written, nesting as dots
 * @param text the value as written; empty where there is none
 * @param place {@code <file>:<line>}; empty for a flag
 */
record Setting(String name, Optional<String> text, String place) {
    static Setting flag(String name, String text) {
        return new Setting(name, Optional.of(text), "");
    }

    /** Where a message says the fault is. */
    String where() {
        return isFlag() ? "--" + name : place + ": " + name;
    }

    String unknown() {
        return isFlag()
                ? "--" + name + ": unknown flag" + hint("--")
                : place + ": unknown key \"" + name + "\"" + hint("");
    }

    private String hint(String prefix) {
        if (ConfigKeys.canonical(name).equals("dry_run")) {
            return "; `holdfast validate --dry-run` with the same flags makes one step and keeps nothing of it";
        }
        return ConfigKeys.nearest(name)
                .map(nearest -> "; did you mean " + prefix + nearest + "?")
                .orElse("; `holdfast schema` lists the keys");
    }

    /** The value in a message. */
    String got() {
        return text.filter(value -> !value.isEmpty())
                .map(value -> "\"" + value + "\"")
                .orElse("nothing");
    }

    boolean isFlag() {
        return place.isEmpty();
    }
}
