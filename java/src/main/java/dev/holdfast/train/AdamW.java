package dev.holdfast.train;

import dev.holdfast.error.InvalidInputException;
import dev.holdfast.natives.AdamWKernel;
import dev.holdfast.natives.NativeMemory;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The optimizer AdamW on the parameters and gradients of a {@link GradientPort}, in one pass and with several threads.
 *
 * <p>With g the gradient times min(1, maximumGradientNorm / (‖gradients‖ + 10⁻⁶)) and t the number of this step, counted from 1:
 *
 * <pre>
 * θ ← θ − η·λ·θ
 * m ← β₁·m + (1 − β₁)·g
 * v ← β₂·v + (1 − β₂)·g²
 * θ ← θ − η / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
 * </pre>
 *
 * <p>Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", arXiv 1711.05101, algorithm 2, as torch.optim.AdamW has it;
 * clipping as torch.nn.utils.clip_grad_norm_.
 *
 * <p>Results have the same bits whatever the number of threads. Thread safety: none, one thread at a time.
 */
public final class AdamW {
    private static final double CLIPPING_EPSILON = 1e-6;

    /**
     * What stays the same over all steps.
     *
     * @param beta1 β₁, decay of the first moment, in [0, 1)
     * @param beta2 β₂, decay of the second moment, in [0, 1)
     * @param epsilon ε, added to the root of the second moment, positive
     * @param weightDecay λ, at least 0
     * @param maximumGradientNorm the gradients of all parameters together are scaled down to this Euclidean norm; 0 leaves them
     */
    public record Settings(double beta1, double beta2, double epsilon, double weightDecay, double maximumGradientNorm) {
        public Settings {
            require("beta1", "in [0, 1)", beta1, beta1 >= 0 && beta1 < 1);
            require("beta2", "in [0, 1)", beta2, beta2 >= 0 && beta2 < 1);
            require("epsilon", "finite and > 0", epsilon, epsilon > 0 && Double.isFinite(epsilon));
            require("weightDecay", "finite and >= 0", weightDecay, weightDecay >= 0 && Double.isFinite(weightDecay));
            require(
                    "maximumGradientNorm",
                    "finite and >= 0",
                    maximumGradientNorm,
                    maximumGradientNorm >= 0 && Double.isFinite(maximumGradientNorm));
        }
    }

    private final Settings settings;
    private final List<GradientPort.Parameter> parameters;
    private final Map<String, HostTensor> firstMoments = new LinkedHashMap<>();
    private final Map<String, HostTensor> secondMoments = new LinkedHashMap<>();
    private long stepCount;

    /**
     * An optimizer before its first step, with moments of zero.
     *
     * @param settings what stays the same over all steps
     * @param parameters the trainable parameters, each name once
     * @throws IllegalArgumentException if a name occurs twice
     */
    public AdamW(Settings settings, List<GradientPort.Parameter> parameters) {
        this.settings = settings;
        this.parameters = List.copyOf(parameters);
        for (GradientPort.Parameter parameter : parameters) {
            if (firstMoments.put(parameter.name(), zeros(parameter)) != null) {
                throw new IllegalArgumentException("parameter " + parameter.name() + ": expected once, got it twice");
            }
            secondMoments.put(parameter.name(), zeros(parameter));
        }
    }

    private static HostTensor zeros(GradientPort.Parameter parameter) {
        return HostTensor.allocate(ElementType.FLOAT, parameter.shape());
    }

    private static void require(String name, String expected, double value, boolean holds) {
        if (!holds) {
            throw new IllegalArgumentException(name + ": expected " + expected + ", got " + value);
        }
    }

    /**
     * Applies the accumulated gradients to the parameters. The gradients stay as they are.
     *
     * <p>If a gradient is not finite, neither is the norm, and nothing changes: no parameter, no moment, no count.
     *
     * @param port the parameters that this optimizer was made for
     * @param learningRate η, at least 0
     * @return the Euclidean norm of all gradients together before clipping
     * @throws IllegalArgumentException if the port is one of other parameters, or the learning rate is negative or not finite
     */
    public double step(GradientPort port, double learningRate) {
        require("learningRate", "finite and >= 0", learningRate, learningRate >= 0 && Double.isFinite(learningRate));
        AdamWKernel.Tensors tensors = tensors(port);
        double norm = AdamWKernel.gradientNorm(tensors);
        if (Double.isFinite(norm)) {
            AdamWKernel.step(kernelSettings(learningRate, clipping(norm)), tensors);
            stepCount++;
        }
        return norm;
    }

    private double clipping(double norm) {
        double maximum = settings.maximumGradientNorm;
        return maximum == 0 ? 1 : Math.min(1, maximum / (norm + CLIPPING_EPSILON));
    }

    private AdamWKernel.Settings kernelSettings(double learningRate, double gradientScale) {
        return new AdamWKernel.Settings(
                learningRate,
                settings.beta1,
                settings.beta2,
                settings.epsilon,
                settings.weightDecay,
                gradientScale,
                stepCount + 1);
    }

    /**
     * The Euclidean norm of all parameters together: not finite if, and only if, one of them is not.
     *
     * @param port the parameters that this optimizer was made for
     * @throws IllegalArgumentException if the port is one of other parameters
     */
    public double parameterNorm(GradientPort port) {
        AdamWKernel.Tensors tensors = tensors(port);
        return AdamWKernel.gradientNorm(new AdamWKernel.Tensors(
                tensors.elementCounts(),
                tensors.parameters(),
                tensors.parameters(),
                tensors.firstMoments(),
                tensors.secondMoments()));
    }

    private AdamWKernel.Tensors tensors(GradientPort port) {
        if (!port.parameters().equals(parameters)) {
            throw new IllegalArgumentException("gradient port: expected the parameters of this optimizer, got others");
        }
        int count = parameters.size();
        AdamWKernel.Tensors tensors = new AdamWKernel.Tensors(
                new long[count], new long[count], new long[count], new long[count], new long[count]);
        for (int i = 0; i < count; i++) {
            GradientPort.Parameter parameter = parameters.get(i);
            tensors.elementCounts()[i] = parameter.shape().elementCount();
            tensors.parameters()[i] = port.parameterAddress(i);
            tensors.gradients()[i] = port.gradientAddress(i);
            tensors.firstMoments()[i] =
                    NativeMemory.address(firstMoments.get(parameter.name()).bytes());
            tensors.secondMoments()[i] =
                    NativeMemory.address(secondMoments.get(parameter.name()).bytes());
        }
        return tensors;
    }

    /** Begins anew: moments of zero, no step taken. */
    public void restart() {
        firstMoments.values().forEach(AdamW::clear);
        secondMoments.values().forEach(AdamW::clear);
        stepCount = 0;
    }

    private static void clear(HostTensor tensor) {
        for (FloatBuffer values = tensor.floats(); values.hasRemaining(); ) {
            values.put(0);
        }
    }

    /** Steps taken since the start, the last {@link #restart} or as {@link #restore restored}. */
    public long stepCount() {
        return stepCount;
    }

    /** The first moment of every parameter by name, in the parameters' order; the tensors are the optimizer's own and change with every step. */
    public Map<String, HostTensor> firstMoments() {
        return new LinkedHashMap<>(firstMoments);
    }

    /** The second moment of every parameter by name, in the parameters' order; the tensors are the optimizer's own and change with every step. */
    public Map<String, HostTensor> secondMoments() {
        return new LinkedHashMap<>(secondMoments);
    }

    /**
     * Goes on where another optimizer stopped; the tensors are copied.
     *
     * @param first the first moment of every parameter by name
     * @param second the second moment of every parameter by name
     * @param steps steps taken so far, at least 0
     * @throws InvalidInputException if a moment is missing, or of another type or shape; nothing has changed then
     * @throws IllegalArgumentException if {@code steps} is negative
     */
    public void restore(Map<String, HostTensor> first, Map<String, HostTensor> second, long steps) {
        require("steps", ">= 0", steps, steps >= 0);
        requireAll("first", first);
        requireAll("second", second);
        firstMoments.forEach(
                (name, moment) -> moment.bytes().put(first.get(name).bytes()));
        secondMoments.forEach(
                (name, moment) -> moment.bytes().put(second.get(name).bytes()));
        stepCount = steps;
    }

    private void requireAll(String which, Map<String, HostTensor> moments) {
        for (GradientPort.Parameter parameter : parameters) {
            HostTensor moment = moments.get(parameter.name());
            if (moment == null
                    || moment.elementType() != ElementType.FLOAT
                    || !moment.shape().equals(parameter.shape())) {
                throw new InvalidInputException(which + " moment of " + parameter.name() + ": expected FLOAT"
                        + parameter.shape() + ", got " + (moment == null ? "none" : moment)
                        + "; does the optimizer's state belong to this model?");
            }
        }
    }
}
