package dev.holdfast.train;

import dev.holdfast.artifact.Manifest;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.config.TrainingSteps;

/**
 * What a run is going to do and what it will cost.
 *
 * @param config the resolved configuration
 * @param model the model in training
 * @param parameterCount how many numbers are trained
 * @param data the training rows
 * @param steps the optimizer steps
 * @param firstStep steps done already, by the run that is being resumed
 * @param memory the estimated need of memory
 * @param caches what is kept on disk of snapshot and reference
 */
public record TrainingPlan(
        TrainingConfig config,
        Manifest.Model model,
        long parameterCount,
        DataSummary data,
        TrainingSteps steps,
        int firstStep,
        MemoryEstimate memory,
        CachePlan caches) {}
