package dev.holdfast.config;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;

/** What a key may be set to: how its values are read from text, written to text and described. */
public sealed interface KeyType<T> permits BooleanType, ChoiceType, DecimalType, IntegerType, NamesType, PathType {
    /** The value that a text of a file or of a flag stands for; empty where it stands for none that is allowed. */
    Optional<T> parse(String text);

    /** The text from which {@link #parse} reads the same value. */
    String format(T value);

    /** Whether a value lies in the allowed range. */
    boolean allows(T value);

    /** What is allowed, as a phrase that follows "expected", such as {@code a number from 0 to 1}. */
    String expectation();

    /** Adds the constraints in the words of JSON Schema. */
    void describe(ObjectNode schema);
}
