package dev.holdfast.config;

/** The course of the learning rate over the steps. */
public enum ScheduleType {
    /** Linear warm-up, then half a cosine wave down to 0. */
    COSINE,
    /** Linear warm-up, then a straight line down to 0. */
    LINEAR,
    /** The peak throughout, without a warm-up. */
    CONSTANT
}
