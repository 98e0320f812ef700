package dev.holdfast.config;

/**
 * How many optimizer steps a job takes.
 *
 * @param perEpoch optimizer steps of one pass over the rows
 * @param perIteration optimizer steps between two snapshots; of supervised fine-tuning, which has no snapshots, all of them
 * @param total optimizer steps of the whole job; the last iteration may be cut short by {@code max_steps}
 */
public record TrainingSteps(int perEpoch, int perIteration, int total) {
    /**
     * The steps of a job over so many rows: an epoch is ⌈⌈rows / batch⌉ / accumulation⌉ steps, the last of them with what is left.
     *
     * <p>In supervised fine-tuning {@code max_steps} takes the place of the epochs; an anchored run ends early by it.
     *
     * @param config a job of one stage, {@link Job#SFT} or {@link Job#ANCHOR}
     * @param rows training rows that are left after long ones were dropped, at least 1
     * @throws IllegalArgumentException if there is no row, if the job has two stages, or if there are more steps than an int counts
     */
    public static TrainingSteps of(TrainingConfig config, int rows) {
        if (rows < 1) {
            throw new IllegalArgumentException("rows: expected at least 1, got " + rows);
        }
        int perEpoch = divideUp(divideUp(rows, config.batchSize()), config.gradientAccumulationSteps());
        return switch (config.job()) {
            case SFT -> supervised(config, perEpoch);
            case ANCHOR -> anchored(config, perEpoch);
            case FINETUNE -> throw new IllegalArgumentException(
                    "job: expected one of its stages, sft or anchor, got finetune");
        };
    }

    private static TrainingSteps supervised(TrainingConfig config, int perEpoch) {
        int steps = config.maxSteps() > 0 ? config.maxSteps() : countable((long) perEpoch * config.epochs());
        return new TrainingSteps(perEpoch, steps, steps);
    }

    private static TrainingSteps anchored(TrainingConfig config, int perEpoch) {
        int perIteration = countable((long) perEpoch * config.innerEpochs());
        int all = countable((long) perIteration * config.outerIterations());
        return new TrainingSteps(
                perEpoch, perIteration, config.maxSteps() > 0 ? Math.min(all, config.maxSteps()) : all);
    }

    /** Outer iterations, of which the last may be short. */
    public int iterations() {
        return divideUp(total, perIteration);
    }

    private static int countable(long steps) {
        if (steps > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "steps: expected at most " + Integer.MAX_VALUE + ", got " + steps + "; take fewer epochs");
        }
        return (int) steps;
    }

    private static int divideUp(int dividend, int divisor) {
        return (int) (((long) dividend + divisor - 1) / divisor);
    }
}
