package dev.holdfast.loss;

import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.TensorView;
import java.util.Optional;
import java.util.function.Function;

/**
 * The tokens of {@link AnchorLossInputs} by address, rows of logits at any distance.
 *
 * @param student logits [N, V]: FLOAT, FLOAT16 or BFLOAT16, like the next two
 * @param snapshot logits [N, Vc]; absent: the student's own, held constant
 * @param reference logits [N, Vr]; absent: no divergence
 * @param labels INT64[N] in [0, V), or {@link AnchorLossInputs#IGNORE_INDEX}
 * @param weights FLOAT[N], finite; weight 0 removes a token
 * @param alphas FLOAT[N] in [0, 1]; present exactly with a reference
 */
public record AnchorLossViews(
        TensorView student,
        Optional<TensorView> snapshot,
        Optional<TensorView> reference,
        TensorView labels,
        TensorView weights,
        Optional<TensorView> alphas) {

    public AnchorLossViews {
        requireLogits("student", student, student);
        snapshot.ifPresent(logits -> requireLogits("snapshot", logits, student));
        reference.ifPresent(logits -> requireLogits("reference", logits, student));
        requirePerToken("labels", labels, ElementType.INT64, student);
        requirePerToken("weights", weights, ElementType.FLOAT, student);
        alphas.ifPresent(values -> requirePerToken("alphas", values, ElementType.FLOAT, student));
        TokenTensors.requireAlphas(reference.isPresent(), alphas.isPresent());
    }

    /** The tokens of host tensors, each placed somewhere. */
    static AnchorLossViews of(AnchorLossInputs inputs, Function<HostTensor, TensorView> place) {
        return new AnchorLossViews(
                place.apply(inputs.student()),
                inputs.snapshot().map(place),
                inputs.reference().map(place),
                place.apply(inputs.labels()),
                place.apply(inputs.weights()),
                inputs.alphas().map(place));
    }

    private static void requireLogits(String name, TensorView logits, TensorView student) {
        TokenTensors.requireLogits(name, logits.elementType(), logits.shape(), student.shape());
    }

    private static void requirePerToken(String name, TensorView values, ElementType type, TensorView student) {
        TokenTensors.require(
                name,
                values.elementType(),
                values.shape(),
                type,
                student.shape().dimension(0));
    }

    /** N. */
    public long tokenCount() {
        return student.shape().dimension(0);
    }

    /** V. */
    public long vocabularySize() {
        return student.shape().dimension(1);
    }
}
