package dev.holdfast.eval.ifeval;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.data.JsonLine;
import dev.holdfast.error.MalformedFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * The arguments of an instruction. The official program draws those that are missing by chance; here they must be there.
 *
 * @param line where they stand
 * @param id the instruction
 * @param values the object of the arguments
 */
record InstructionArguments(JsonLine line, String id, JsonNode values) {
    private static final String AT_LEAST = "at least";
    private static final String LESS_THAN = "less than";

    String text(String name) {
        JsonNode value = values.path(name);
        if (!value.isTextual() || value.textValue().isEmpty()) {
            throw expected(name, "a text", value);
        }
        return value.textValue();
    }

    List<String> texts(String name) {
        JsonNode value = values.path(name);
        List<String> texts = new ArrayList<>();
        value.forEach(item -> texts.add(item.asText()));
        if (!value.isArray() || texts.isEmpty()) {
            throw expected(name, "a list of texts", value);
        }
        return texts;
    }

    int count(String name) {
        JsonNode value = values.path(name);
        if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < 0) {
            throw expected(name, "a whole number of 0 or more", value);
        }
        return value.intValue();
    }

    /** A comparison of a number with the one of the first name, in the way that the second says. */
    IntPredicate comparison(String number, String relation) {
        int limit = count(number);
        return switch (text(relation)) {
            case AT_LEAST -> value -> value >= limit;
            case LESS_THAN -> value -> value < limit;
            default -> throw expected(relation, '"' + AT_LEAST + "\" or \"" + LESS_THAN + '"', values.path(relation));
        };
    }

    /** A regular expression of the arguments, which the official program takes words for. */
    Pattern ignoringCase(String regex) {
        return compiled(PythonString::ignoringCase, regex);
    }

    /** A regular expression of the arguments, a line of the text at a time. */
    Pattern pattern(String regex) {
        return compiled(PythonString::multiline, regex);
    }

    private Pattern compiled(Function<String, Pattern> compiler, String regex) {
        try {
            return compiler.apply(regex);
        } catch (PatternSyntaxException e) {
            throw line.malformed("kwargs of " + id + ": expected words or regular expressions, got \"" + regex + "\": "
                    + e.getDescription());
        }
    }

    private MalformedFileException expected(String name, String what, JsonNode got) {
        return line.malformed("kwargs of " + id + ": " + name + ": expected " + what + ", got "
                + (got.isMissingNode() ? "none" : got));
    }
}
