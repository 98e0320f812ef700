package dev.holdfast.train;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.config.ConfigKey;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.TrainingConfig;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** How far from the base a run may come, by what its ledger measures; without budgets it may come anywhere. */
final class DriftBudget {
    /** The budgets that are set, by the key of the ledger that each bounds. */
    private final Map<String, ConfigKey<Double>> keys = new LinkedHashMap<>();

    private final TrainingConfig config;

    private DriftBudget(TrainingConfig config) {
        this.config = config;
        bound(LedgerEntry.KL_TOTAL, ConfigKeys.KL_TOTAL_BUDGET);
        bound(LedgerEntry.KL_TOTAL_RETENTION, ConfigKeys.KL_RETENTION_BUDGET);
    }

    static DriftBudget of(TrainingConfig config) {
        return new DriftBudget(config);
    }

    private void bound(String measured, ConfigKey<Double> key) {
        if (key.jobs().contains(config.job()) && config.get(key) > 0) {
            keys.put(measured, key);
        }
    }

    boolean isSet() {
        return !keys.isEmpty();
    }

    /** What a line of the ledger shows to be beyond its budget, if anything. */
    Optional<BudgetBreach> breach(JsonNode line) {
        return keys.entrySet().stream()
                .filter(bound -> line.path(bound.getKey()).asDouble() > config.get(bound.getValue()))
                .findFirst()
                .map(bound -> new BudgetBreach(
                        line.path("step").asInt(),
                        bound.getValue().name(),
                        config.get(bound.getValue()),
                        line.path(bound.getKey()).asDouble()));
    }
}
