/**
 * The configuration of training jobs: one table of keys, from which files, flags, checks, schema and documentation come.
 *
 * <p>Flows in: YAML files and command-line flags, as text. Flows out: {@link dev.holdfast.config.TrainingConfig}, checked, and what follows
 * from it by arithmetic alone ({@link dev.holdfast.config.TrainingSteps}, {@link dev.holdfast.config.LearningRateSchedule}). Must not import
 * anything of Holdfast but {@code error} and {@code files}.
 */
package dev.holdfast.config;
