package dev.holdfast.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.nio.file.Path;
import org.yaml.snakeyaml.error.MarkedYAMLException;

/** Puts the YAML library's complaints into one line each. */
final class YamlFault {
    private YamlFault() {}

    static String describe(Path file, String text, JsonProcessingException fault) {
        if (fault.getCause() instanceof MarkedYAMLException marked && marked.getProblemMark() != null) {
            int line = marked.getProblemMark().getLine();
            String problem = hasTab(text, line) ? "a tab: expected spaces" : marked.getProblem();
            return file + ":" + (line + 1) + ": not YAML: " + problem;
        }
        return file + ": not YAML: "
                + fault.getOriginalMessage().lines().findFirst().orElse("unreadable");
    }

    private static boolean hasTab(String text, int line) {
        return text.lines().skip(line).findFirst().orElse("").contains("\t");
    }
}
