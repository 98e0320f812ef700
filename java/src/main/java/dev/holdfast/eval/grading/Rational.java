package dev.holdfast.eval.grading;

import java.math.BigInteger;

/**
 * A fraction in lowest terms.
 *
 * @param numerator of any sign
 * @param denominator more than 0
 */
record Rational(BigInteger numerator, BigInteger denominator) {
    Rational {
        BigInteger divisor = numerator.gcd(denominator).multiply(BigInteger.valueOf(denominator.signum()));
        if (divisor.signum() == 0) {
            throw new ArithmeticException("division by zero");
        }
        numerator = numerator.divide(divisor);
        denominator = denominator.divide(divisor);
    }

    static Rational of(long value) {
        return new Rational(BigInteger.valueOf(value), BigInteger.ONE);
    }

    Rational plus(Rational other) {
        return new Rational(
                numerator.multiply(other.denominator).add(other.numerator.multiply(denominator)),
                denominator.multiply(other.denominator));
    }

    Rational minus(Rational other) {
        return plus(new Rational(other.numerator.negate(), other.denominator));
    }

    Rational times(Rational other) {
        return new Rational(numerator.multiply(other.numerator), denominator.multiply(other.denominator));
    }

    /**
     * This divided by another.
     *
     * @throws ArithmeticException if the other is 0
     */
    Rational dividedBy(Rational other) {
        return new Rational(numerator.multiply(other.denominator), denominator.multiply(other.numerator));
    }

    @Override
    public String toString() {
        return denominator.equals(BigInteger.ONE) ? numerator.toString() : numerator + "/" + denominator;
    }
}
