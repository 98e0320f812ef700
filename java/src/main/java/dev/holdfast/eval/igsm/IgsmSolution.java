package dev.holdfast.eval.igsm;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A solution as iGSM words it: {@code Define A's B as x; y = u + v = 3 + 4 = 7; so x = 2 * y = 2 * 7 = 14.}
 *
 * <p>Every step defines a quantity by letters of earlier ones, with the numbers put in, and its value modulo 23.
 */
public final class IgsmSolution {
    private static final Pattern STEP_END = Pattern.compile("\\.\\s+(?=Define )");
    private static final Pattern STEP = Pattern.compile("Define ([^;]+) as ([A-Za-z]); (.+)", Pattern.DOTALL);
    private static final Pattern CLAUSE = Pattern.compile("([A-Za-z]) = (.+)");
    private static final Pattern OPERATION = Pattern.compile("(\\w+)(?: ([-+*]) (\\w+))?");
    private static final String LAST_CLAUSE = "so ";

    /** No problem has a quantity of a hundred terms; repeated squares would grow without end. */
    private static final int LARGEST_PRODUCT = 10_000;

    private final List<String> steps;
    private final Map<String, Letter> letters = new HashMap<>();
    private final Map<String, Polynomial> formulas = new LinkedHashMap<>();

    /** What a letter stands for. */
    private record Letter(int value, Polynomial formula) {}

    /** A step that is not right; the message says why. */
    private static final class Fault extends Exception {
        Fault(String message) {
            super(message, null, false, false);
        }
    }

    /** A solution; any text, whether it is one shows when it is checked. */
    public IgsmSolution(String text) {
        String steps = text.strip();
        this.steps = List.of(STEP_END.split(steps.endsWith(".") ? steps.substring(0, steps.length() - 1) : steps));
    }

    /** The formulas of the quantities that it defines, up to the first step that is malformed. */
    Map<String, Polynomial> formulas() {
        try {
            for (String step : steps) {
                define(step);
            }
        } catch (Fault end) {
            // What came before is what there is.
        }
        return formulas;
    }

    /**
     * The first step that is wrong for a problem, and why; nothing if all are right and the last one defines what is asked.
     *
     * @param answer the value of what is asked
     */
    public Optional<String> fault(IgsmProblem problem, int answer) {
        letters.clear();
        formulas.clear();
        Set<String> defined = new LinkedHashSet<>();
        int number = 0;
        Step last = null;
        try {
            for (String step : steps) {
                number++;
                last = define(step);
                require(defined.add(last.quantity()), last.quantity() + " is defined twice");
                List<Polynomial> right = problem.formulas(last.quantity());
                require(!right.isEmpty(), last.quantity() + " is not a quantity of the problem");
                require(right.contains(formulas.get(last.quantity())), last.quantity() + " is defined otherwise");
            }
            require(
                    last.quantity().equals(problem.asked()),
                    "the last step defines " + last.quantity() + ", not what is asked");
            require(last.value() == answer, "expected " + answer + ", got " + last.value());
            return Optional.empty();
        } catch (Fault fault) {
            return Optional.of("step " + number + ": " + fault.getMessage());
        }
    }

    private record Step(String quantity, int value) {}

    private Step define(String text) throws Fault {
        Matcher step = STEP.matcher(text);
        require(step.matches(), "expected \"Define ... as x; ... so x = ...\"");
        String[] clauses = step.group(3).split("; ", -1);
        String last = clauses[clauses.length - 1];
        require(last.startsWith(LAST_CLAUSE), "expected \"so\" before the last equation");
        clauses[clauses.length - 1] = last.substring(LAST_CLAUSE.length());
        String name = "";
        for (String clause : clauses) {
            name = equate(clause);
        }
        require(name.equals(step.group(2)), "expected the last equation to be of " + step.group(2));
        String quantity = step.group(1);
        formulas.put(quantity, letters.get(name).formula());
        letters.put(name, new Letter(letters.get(name).value(), Polynomial.quantity(quantity)));
        return new Step(quantity, letters.get(name).value());
    }

    /** Reads {@code x = expression = numbers = value}, checks numbers and value, and returns the letter. */
    private String equate(String text) throws Fault {
        Matcher clause = CLAUSE.matcher(text);
        require(clause.matches(), "expected an equation, got \"" + text + "\"");
        String[] sides = clause.group(2).split(" = ", -1);
        Matcher operation = OPERATION.matcher(sides[0]);
        require(operation.matches(), "expected an operation on one or two operands, got \"" + sides[0] + "\"");
        Letter left = operand(operation.group(1));
        boolean single = operation.group(2) == null;
        Letter result = single ? left : apply(operation.group(2), left, operand(operation.group(3)));
        requireSides(sides, operation, result);
        letters.put(clause.group(1), result);
        return clause.group(1);
    }

    private void requireSides(String[] sides, Matcher operation, Letter result) throws Fault {
        boolean single = operation.group(2) == null;
        boolean number = single && Character.isDigit(sides[0].charAt(0));
        int expected = number ? 1 : single ? 2 : 3;
        require(sides.length == expected, "expected " + expected + " sides in \"" + String.join(" = ", sides) + "\"");
        if (!single) {
            String numbers = operand(operation.group(1)).value() + " " + operation.group(2) + " "
                    + operand(operation.group(3)).value();
            require(sides[1].equals(numbers), "expected " + numbers + ", got " + sides[1]);
        }
        String value = sides[sides.length - 1];
        require(value.equals(Integer.toString(result.value())), "expected " + result.value() + ", got " + value);
    }

    private Letter operand(String text) throws Fault {
        if (text.matches("\\d{1,9}")) {
            int value = Integer.parseInt(text);
            return new Letter(value, Polynomial.constant(value));
        }
        Letter letter = letters.get(text);
        require(letter != null, text + " is not defined yet");
        return letter;
    }

    private static Letter apply(String operator, Letter left, Letter right) throws Fault {
        long extent = (long) left.formula().extent() * right.formula().extent();
        require(extent <= LARGEST_PRODUCT, "expected a formula of the problem, got a much longer one");
        return switch (operator) {
            case "+" -> new Letter(
                    modulo(left.value() + (long) right.value()), left.formula().plus(right.formula()));
            case "-" -> new Letter(
                    modulo(left.value() - (long) right.value()), left.formula().minus(right.formula()));
            default -> new Letter(
                    modulo(left.value() * (long) right.value()), left.formula().times(right.formula()));
        };
    }

    private static int modulo(long value) {
        return (int) Math.floorMod(value, (long) Polynomial.MODULUS);
    }

    private static void require(boolean holds, String fault) throws Fault {
        if (!holds) {
            throw new Fault(fault);
        }
    }
}
