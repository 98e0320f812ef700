package dev.holdfast.eval.grading;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;

/**
 * A problem of Countdown.
 *
 * @param numbers the numbers to use, each once
 * @param target the value to reach
 * @param solution an expression that reaches it
 */
public record CountdownProblem(List<Integer> numbers, int target, String solution) {
    private static final int LEAST_NUMBERS = 3;
    private static final int MOST_NUMBERS = 4;
    private static final int LARGEST_NUMBER = 100;
    private static final int LARGEST_TARGET = 100;

    /** A part of a solution. */
    private record Part(int value, String text) {}

    /**
     * Draws problems: 3 or 4 numbers of 1 to 99, a target of 1 to 100 that whole numbers lead to at every step.
     *
     * @param seed the same seed draws the same problems
     */
    public static List<CountdownProblem> generate(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<CountdownProblem> problems = new ArrayList<>();
        while (problems.size() < count) {
            List<Integer> numbers = random.ints(random.nextInt(LEAST_NUMBERS, MOST_NUMBERS + 1), 1, LARGEST_NUMBER)
                    .boxed()
                    .toList();
            Part solution = combined(numbers, random);
            if (solution.value() >= 1 && solution.value() <= LARGEST_TARGET) {
                problems.add(new CountdownProblem(shuffled(numbers, random), solution.value(), solution.text()));
            }
        }
        return problems;
    }

    private static List<Integer> shuffled(List<Integer> numbers, SplittableRandom random) {
        List<Integer> order = new ArrayList<>(numbers);
        Collections.shuffle(order, new Random(random.nextLong()));
        return List.copyOf(order);
    }

    private static Part combined(List<Integer> numbers, SplittableRandom random) {
        List<Part> parts = new ArrayList<>();
        numbers.forEach(number -> parts.add(new Part(number, number.toString())));
        while (parts.size() > 1) {
            Part left = parts.remove(random.nextInt(parts.size()));
            Part right = parts.remove(random.nextInt(parts.size()));
            parts.add(combined(left, right, random.nextInt(4)));
        }
        return parts.get(0);
    }

    /** Division only where it leaves a whole number, subtraction only where it leaves one above 0; sums otherwise. */
    private static Part combined(Part left, Part right, int operation) {
        if (operation == 0 && left.value() > right.value()) {
            return joined(left.value() - right.value(), left, " - ", right);
        }
        if (operation == 1 && (long) left.value() * right.value() <= LARGEST_NUMBER * LARGEST_NUMBER) {
            return joined(left.value() * right.value(), left, " * ", right);
        }
        if (operation == 2 && left.value() % right.value() == 0) {
            return joined(left.value() / right.value(), left, " / ", right);
        }
        return joined(left.value() + right.value(), left, " + ", right);
    }

    private static Part joined(int value, Part left, String operator, Part right) {
        return new Part(value, "(" + left.text() + operator + right.text() + ")");
    }
}
