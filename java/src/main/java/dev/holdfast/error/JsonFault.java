package dev.holdfast.error;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import java.util.stream.Collectors;

/** Puts what the JSON library says of a text into our words. */
public final class JsonFault {
    private JsonFault() {}

    /** What is wrong and where in the file, for example {@code not JSON: line 3, column 14}. */
    public static String describe(JsonProcessingException fault) {
        JsonLocation location = fault.getLocation();
        return problem(fault)
                + (location == null ? "" : ": line " + location.getLineNr() + ", column " + location.getColumnNr());
    }

    /** What is wrong and where in a line of its own, for example {@code not JSON: column 14}. */
    public static String describeInLine(JsonProcessingException fault) {
        JsonLocation location = fault.getLocation();
        return problem(fault) + (location == null ? "" : ": column " + location.getColumnNr());
    }

    private static String problem(JsonProcessingException fault) {
        String said = String.valueOf(fault.getOriginalMessage());
        if (said.startsWith("Trailing token")) {
            return "expected one JSON value, got another after it";
        }
        if (said.startsWith("Duplicate field ")) {
            return "not JSON: the key " + said.substring("Duplicate field ".length()) + " appears twice";
        }
        if (fault instanceof JsonMappingException mapping && !mapping.getPath().isEmpty()) {
            return "not as expected: " + path(mapping) + ": " + expectation(mapping);
        }
        return fault instanceof MismatchedInputException ? "not as expected" : "not JSON";
    }

    private static String path(JsonMappingException mapping) {
        return mapping.getPath().stream()
                .map(step -> step.getFieldName() == null ? Integer.toString(step.getIndex()) : step.getFieldName())
                .collect(Collectors.joining("."));
    }

    private static String expectation(JsonMappingException mapping) {
        Class<?> type = mapping instanceof MismatchedInputException mismatch && mismatch.getTargetType() != null
                ? mismatch.getTargetType()
                : Object.class;
        if (type.isArray() || Iterable.class.isAssignableFrom(type)) {
            return "expected a list";
        }
        if (type == int.class || type == long.class || type == Integer.class || type == Long.class) {
            return "expected a whole number";
        }
        if (type == boolean.class || type == Boolean.class) {
            return "expected true or false";
        }
        return type == String.class ? "expected a text" : "expected another value";
    }
}
