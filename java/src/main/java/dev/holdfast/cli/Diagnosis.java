package dev.holdfast.cli;

import dev.holdfast.error.HoldfastException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** What an examination found: facts by name, and the causes for which training cannot run. */
final class Diagnosis {
    private final Map<String, String> facts = new LinkedHashMap<>();
    private final List<String> causes = new ArrayList<>();

    void fact(String name, String value) {
        facts.put(name, value);
    }

    /** Notes what an examination finds, or the cause of its failure. */
    void examine(String name, Supplier<String> examination) {
        try {
            facts.put(name, examination.get());
        } catch (HoldfastException failure) {
            facts.put(name, "failed, see above");
            causes.add(failure.getMessage());
        } catch (LinkageError failure) {
            facts.put(name, "failed, see above");
            causes.add(name + ": cannot be loaded: " + failure);
        }
    }

    boolean canTrain() {
        return causes.isEmpty();
    }

    /** The first cause first, then every fact on a line. */
    String report() {
        StringBuilder report = new StringBuilder();
        if (canTrain()) {
            report.append("This machine can train.\n\n");
        } else {
            report.append("Training cannot run: ")
                    .append(String.join("\nAlso: ", causes))
                    .append("\n\n");
        }
        int width = facts.keySet().stream().mapToInt(String::length).max().orElse(0) + 2;
        facts.forEach((name, value) -> report.append(name)
                .append(" ".repeat(width - name.length()))
                .append(value)
                .append('\n'));
        return report.toString();
    }
}
