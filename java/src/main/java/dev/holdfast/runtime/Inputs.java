package dev.holdfast.runtime;

import dev.holdfast.error.InvalidInputException;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Checks tensors against the declared inputs before ONNX Runtime sees them: it looks at neither names nor, always, types. */
final class Inputs {
    private Inputs() {}

    /**
     * Refuses everything but exactly the declared inputs with types and dimensions that fit.
     *
     * @throws InvalidInputException naming every problem
     */
    static <T> void check(
            String where,
            List<ValueInfo> declared,
            Map<String, T> given,
            Function<T, ElementType> type,
            Function<T, Shape> shape) {
        List<String> problems = new ArrayList<>();
        for (ValueInfo input : declared) {
            T tensor = given.get(input.name());
            if (tensor == null) {
                problems.add("input " + input.name() + ": expected " + input.description() + ", got none");
            } else if (!input.accepts(type.apply(tensor), shape.apply(tensor))) {
                problems.add("input " + input.name() + ": expected " + input.description() + ", got "
                        + type.apply(tensor) + shape.apply(tensor));
            }
        }
        given.keySet().stream()
                .filter(name -> !isDeclared(declared, name))
                .sorted()
                .forEach(name -> problems.add(unknown(name, declared)));
        if (!problems.isEmpty()) {
            throw new InvalidInputException(where + ": " + String.join("; ", problems));
        }
    }

    private static boolean isDeclared(List<ValueInfo> declared, String name) {
        return declared.stream().anyMatch(input -> input.name().equals(name));
    }

    private static String unknown(String name, List<ValueInfo> declared) {
        return "input " + name + ": expected one of "
                + declared.stream().map(ValueInfo::name).collect(Collectors.joining(", ")) + ", got an unknown name";
    }
}
