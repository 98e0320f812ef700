package dev.holdfast.config;

/**
 * The learning rate at every step: a linear warm-up, then the course of its type.
 *
 * <p>With peak p, w warm-up steps of n in all, at step s counted from 0: {@code p s / w} while s &lt; w; afterwards
 * {@code p (1 + cos(π (s - w) / (n - w))) / 2} for cosine and {@code p (n - s) / (n - w)} for linear, never below 0. Constant is p
 * throughout, without a warm-up. Source: transformers, optimization.py (get_cosine_schedule_with_warmup,
 * get_linear_schedule_with_warmup, get_constant_schedule); so the first step of a warm-up has learning rate 0.
 *
 * @param type the course
 * @param peak the greatest learning rate, at least 0
 * @param totalSteps optimizer steps in all, at least 1
 * @param warmupSteps steps in which the learning rate rises, from 0 to {@code totalSteps}
 */
public record LearningRateSchedule(ScheduleType type, double peak, int totalSteps, int warmupSteps) {
    public LearningRateSchedule {
        if (totalSteps < 1) {
            throw new IllegalArgumentException("totalSteps: expected at least 1, got " + totalSteps);
        }
        if (warmupSteps < 0 || warmupSteps > totalSteps) {
            throw new IllegalArgumentException("warmupSteps: expected 0 to " + totalSteps + ", got " + warmupSteps);
        }
        if (!(peak >= 0) || Double.isInfinite(peak)) {
            throw new IllegalArgumentException("peak: expected a learning rate of at least 0, got " + peak);
        }
    }

    /** The schedule of a configuration over so many steps; the warm-up is ⌈totalSteps · warmup_ratio⌉ steps. */
    public static LearningRateSchedule of(TrainingConfig config, int totalSteps) {
        int warmupSteps = (int) Math.ceil(totalSteps * config.warmupRatio());
        return new LearningRateSchedule(config.schedulerType(), config.learningRate(), totalSteps, warmupSteps);
    }

    /**
     * The learning rate of a step.
     *
     * @param step the optimizer steps taken before it, at least 0
     */
    public double at(int step) {
        if (step < 0) {
            throw new IllegalArgumentException("step: expected at least 0, got " + step);
        }
        if (type == ScheduleType.CONSTANT) {
            return peak;
        }
        return peak * (step < warmupSteps ? (double) step / warmupSteps : factorAfterWarmup(step));
    }

    private double factorAfterWarmup(int step) {
        double decaySteps = Math.max(1, totalSteps - warmupSteps);
        double progress = (step - warmupSteps) / decaySteps;
        if (type == ScheduleType.LINEAR) {
            return Math.max(0, (totalSteps - step) / decaySteps);
        }
        return progress >= 1 ? 0 : 0.5 * (1 + Math.cos(Math.PI * progress));
    }
}
