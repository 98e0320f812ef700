package dev.holdfast.runtime;

import dev.holdfast.tensor.HostTensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a training or evaluation step returned.
 *
 * @param outputs the model's own outputs by name, in declared order, copied out of ONNX Runtime; the bookkeeping of gradients is left out
 */
public record StepResult(Map<String, HostTensor> outputs) {
    public StepResult {
        outputs = Collections.unmodifiableMap(new LinkedHashMap<>(outputs));
    }

    /**
     * The loss: the first output, as ONNX Runtime's tools and ours order them.
     *
     * @throws IllegalStateException if that is no FLOAT tensor of one element
     */
    public float loss() {
        if (outputs.isEmpty()) {
            throw new IllegalStateException("loss: expected an output, got none");
        }
        return scalar(outputs.keySet().iterator().next());
    }

    /**
     * The value of an output of one element.
     *
     * @throws IllegalArgumentException if there is no such output
     * @throws IllegalStateException if it is no FLOAT tensor of one element
     */
    public float scalar(String name) {
        HostTensor tensor = output(name);
        if (tensor.elementCount() != 1) {
            throw new IllegalStateException("output " + name + ": expected one element, got " + tensor);
        }
        return tensor.floats().get(0);
    }

    /**
     * An output by name.
     *
     * @throws IllegalArgumentException if there is no such output
     */
    public HostTensor output(String name) {
        HostTensor tensor = outputs.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException("output " + name + ": expected one of " + outputs.keySet());
        }
        return tensor;
    }
}
