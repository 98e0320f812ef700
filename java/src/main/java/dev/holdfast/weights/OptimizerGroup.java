package dev.holdfast.weights;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The optimizer's state for a group of parameters.
 *
 * @param name ONNX Runtime knows one group, {@code group0}
 * @param step optimizer steps taken so far
 * @param initialLearningRate the learning rate that schedulers start from
 * @param moments for each parameter the moments, for AdamW {@code momentum0} and {@code momentum1}
 * @param <T> {@link CheckpointTensor} when read, {@link PendingTensor} when written
 */
public record OptimizerGroup<T>(String name, long step, float initialLearningRate, Map<String, List<T>> moments) {
    public OptimizerGroup {
        moments = Collections.unmodifiableMap(new LinkedHashMap<>(moments));
    }
}
