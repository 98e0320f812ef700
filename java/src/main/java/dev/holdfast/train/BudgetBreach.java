package dev.holdfast.train;

import java.util.Locale;

/**
 * Drift beyond what the configuration allows, which ends a run.
 *
 * @param step optimizer steps done when it was measured
 * @param budget the key of the budget, such as {@code kl_total_budget}
 * @param allowed the budget, in nats
 * @param measured the drift, in nats
 */
public record BudgetBreach(int step, String budget, double allowed, double measured) {
    /** What happened, in a clause. */
    public String describe() {
        return String.format(
                Locale.ROOT,
                "%s: expected at most %s nats from the base, got %.4g after step %d",
                budget,
                Double.toString(allowed).toLowerCase(Locale.ROOT),
                measured,
                step);
    }
}
