package dev.holdfast.eval.igsm;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** A sum of products of quantities, with coefficients modulo {@value #MODULUS}; two formulas of the same value are equal. */
final class Polynomial {
    /** All arithmetic of iGSM is modulo this prime. */
    static final int MODULUS = 23;

    static final Polynomial ZERO = constant(0);

    /** Coefficients, never 0, by the sorted names of a product's quantities joined by line feeds. */
    private final Map<String, Integer> coefficients;

    private Polynomial(Map<String, Integer> coefficients) {
        this.coefficients = coefficients;
    }

    static Polynomial constant(int value) {
        return new Polynomial(Map.of()).plus("", value);
    }

    static Polynomial quantity(String name) {
        return new Polynomial(Map.of()).plus(name, 1);
    }

    static Polynomial sum(List<Polynomial> parts) {
        return parts.stream().reduce(ZERO, Polynomial::plus);
    }

    Polynomial plus(Polynomial other) {
        Polynomial sum = this;
        for (Map.Entry<String, Integer> term : other.coefficients.entrySet()) {
            sum = sum.plus(term.getKey(), term.getValue());
        }
        return sum;
    }

    Polynomial minus(Polynomial other) {
        return plus(other.times(constant(-1)));
    }

    Polynomial times(Polynomial other) {
        Polynomial product = new Polynomial(Map.of());
        for (Map.Entry<String, Integer> left : coefficients.entrySet()) {
            for (Map.Entry<String, Integer> right : other.coefficients.entrySet()) {
                product = product.plus(product(left.getKey(), right.getKey()), left.getValue() * right.getValue());
            }
        }
        return product;
    }

    private static String product(String left, String right) {
        return Stream.of(left, right)
                .filter(part -> !part.isEmpty())
                .flatMap(part -> Stream.of(part.split("\n")))
                .sorted()
                .reduce((one, other) -> one + "\n" + other)
                .orElse("");
    }

    /** How many terms and factors there are, by which products grow. */
    int extent() {
        return coefficients.keySet().stream()
                .mapToInt(quantities -> 1 + quantities.split("\n").length)
                .sum();
    }

    private Polynomial plus(String quantities, int coefficient) {
        Map<String, Integer> sum = new TreeMap<>(coefficients);
        int value = Math.floorMod(sum.getOrDefault(quantities, 0) + coefficient, MODULUS);
        if (value == 0) {
            sum.remove(quantities);
        } else {
            sum.put(quantities, value);
        }
        return new Polynomial(sum);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Polynomial polynomial && coefficients.equals(polynomial.coefficients);
    }

    @Override
    public int hashCode() {
        return coefficients.hashCode();
    }

    @Override
    public String toString() {
        return coefficients.toString().replace("\n", " · ");
    }
}
