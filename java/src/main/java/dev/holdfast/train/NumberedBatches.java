package dev.holdfast.train;

import dev.holdfast.error.InvalidInputException;
import dev.holdfast.runtime.ValueInfo;
import dev.holdfast.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Sorts arrays named {@code <input><n>} into the batches of the steps n = 0, 1, 2 … */
final class NumberedBatches {
    private static final Pattern NUMBER = Pattern.compile("0|[1-9]\\d{0,8}");

    private NumberedBatches() {}

    /**
     * The batches in order, each with exactly the inputs.
     *
     * @param where how messages call the arrays
     * @throws InvalidInputException if there are none, a name fits no input, a number or an input is left out, or an array does not fit the
     *     type and shape of its input; every problem is named
     */
    static List<Map<String, HostTensor>> of(String where, List<ValueInfo> inputs, Map<String, HostTensor> arrays) {
        List<String> problems = new ArrayList<>();
        TreeMap<Integer, Map<String, HostTensor>> steps = new TreeMap<>();
        arrays.forEach((name, tensor) -> place(name, tensor, inputs, steps, problems));
        if (steps.isEmpty() && problems.isEmpty()) {
            problems.add("expected arrays " + firstNames(inputs) + ", got none");
        }
        int count = steps.isEmpty() ? 0 : steps.lastKey() + 1;
        for (int step = 0; step < count && problems.size() < 20; step++) {
            requireComplete(step, steps.getOrDefault(step, Map.of()), inputs, problems);
        }
        if (!problems.isEmpty()) {
            throw new InvalidInputException(where + ": " + abbreviate(problems));
        }
        return List.copyOf(steps.values());
    }

    private static void place(
            String name,
            HostTensor tensor,
            List<ValueInfo> inputs,
            Map<Integer, Map<String, HostTensor>> steps,
            List<String> problems) {
        Optional<ValueInfo> input = inputOf(name, inputs);
        if (input.isEmpty()) {
            problems.add("array " + name + ": expected the name of an input and a number, such as " + firstNames(inputs)
                    + ", got " + name);
            return;
        }
        if (!input.get().accepts(tensor.elementType(), tensor.shape())) {
            problems.add("array " + name + ": expected " + input.get().description() + ", got " + tensor);
        }
        int step = Integer.parseInt(name.substring(input.get().name().length()));
        steps.computeIfAbsent(step, unused -> new LinkedHashMap<>())
                .put(input.get().name(), tensor);
    }

    /** The longest name that the array's begins with: an input's own name may end in a digit, so {@code x10} is step 0 of x1 before step 10 of x. */
    private static Optional<ValueInfo> inputOf(String name, List<ValueInfo> inputs) {
        return inputs.stream()
                .filter(input -> name.startsWith(input.name())
                        && NUMBER.matcher(name.substring(input.name().length())).matches())
                .max(Comparator.comparingInt(input -> input.name().length()));
    }

    private static void requireComplete(
            int step, Map<String, HostTensor> found, List<ValueInfo> inputs, List<String> problems) {
        for (ValueInfo input : inputs) {
            if (!found.containsKey(input.name())) {
                problems.add("array " + input.name() + step + ": expected " + input.description() + ", got none");
            }
        }
    }

    private static String firstNames(List<ValueInfo> inputs) {
        return inputs.stream().map(input -> input.name() + "0").collect(Collectors.joining(", "));
    }

    private static String abbreviate(List<String> problems) {
        return String.join("; ", problems.subList(0, Math.min(3, problems.size())))
                + (problems.size() > 3 ? "; and " + (problems.size() - 3) + " more" : "");
    }
}
