package dev.holdfast.config;

/**
 * How many optimizer steps a job takes.
 *
 * @param perEpoch optimizer steps of one pass over the rows
 * @param perIteration optimizer steps between two snapshots; of supervised fine-tuning, which has no snapshots, all of them
 * @param iterations outer iterations; 1 for supervised fine-tuning
 */
public record TrainingSteps(int perEpoch, int perIteration, int iterations) {
    /**
     * The steps of a job over so many rows: an epoch is ⌈⌈rows / batch⌉ / accumulation⌉ steps, the last of them with what is left.
     *
     * @param config a job of one stage, {@link Job#SFT} or {@link Job#ANCHOR}
     * @param rows training rows that are left after long ones were dropped, at least 1
     * @throws IllegalArgumentException if there is no row, if the job has two stages, or if there are more steps than an int counts
     */
    public static TrainingSteps of(TrainingConfig config, int rows) {
        if (rows < 1) {
            throw new IllegalArgumentException("rows: expected at least 1, got " + rows);
        }
        int passes = divideUp(rows, config.batchSize());
        int perEpoch = divideUp(passes, config.gradientAccumulationSteps());
        return switch (config.job()) {
            case SFT -> new TrainingSteps(perEpoch, steps(config, perEpoch, config.epochs()), 1);
            case ANCHOR -> new TrainingSteps(perEpoch, steps(config, perEpoch, config.innerEpochs()), config.outerIterations());
            case FINETUNE -> throw new IllegalArgumentException("job: expected one of its stages, sft or anchor, got finetune");
        };
    }

    public TrainingSteps {
        countable((long) perIteration * iterations);
    }

    /** Optimizer steps of the whole job. */
    public int total() {
        return perIteration * iterations;
    }

    /** Optimizer steps over which the learning rate runs its course: an iteration's where the optimizer restarts, else all. */
    public int scheduled(TrainingConfig config) {
        return config.restartOptimizer() ? perIteration : total();
    }

    private static int steps(TrainingConfig config, int perEpoch, int epochs) {
        return config.maxSteps() > 0 ? config.maxSteps() : countable((long) perEpoch * epochs);
    }

    private static int countable(long steps) {
        if (steps > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("steps: expected at most " + Integer.MAX_VALUE + ", got " + steps + "; take fewer epochs");
        }
        return (int) steps;
    }

    private static int divideUp(int dividend, int divisor) {
        return (int) (((long) dividend + divisor - 1) / divisor);
    }
}
