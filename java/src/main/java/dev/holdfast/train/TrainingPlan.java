package dev.holdfast.train;

import dev.holdfast.artifact.Manifest;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.config.TrainingSteps;

/**
 * What a run is going to do and what it will cost.
 *
 * @param config the resolved configuration
 * @param model the model in training, with its adapters if it has any
 * @param parameterCount how many numbers the model has, adapters included
 * @param trainableCount how many of them are trained
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
        long trainableCount,
        DataSummary data,
        TrainingSteps steps,
        int firstStep,
        MemoryEstimate memory,
        CachePlan caches) {}
