package dev.holdfast.gradient;

import dev.holdfast.gradient.Derivative.Known;
import dev.holdfast.gradient.Derivative.None;
import dev.holdfast.gradient.Derivative.Refused;
import dev.holdfast.onnx.Operator;
import java.util.Arrays;
import java.util.List;

/** The derivative of every operator that Holdfast builds graphs of. The compiler sees to it that none is forgotten. */
final class DerivativeTable {
    private static final Derivative NONE = new None();
    private static final Derivative SECOND_ORDER = new Refused("second derivatives are not supported");
    private static final Derivative SIDE_EFFECT =
            new Refused("it changes parameters; differentiate the graph before it is added");

    private DerivativeTable() {}

    /** What is known of an operator's derivative. */
    static Derivative of(Operator operator) {
        return switch (operator) {
            case ADD -> known(ElementwiseRules::add);
            case SUB -> known(ElementwiseRules::sub);
            case MUL -> known(ElementwiseRules::mul);
            case DIV -> known(ElementwiseRules::div);
            case NEG -> known(ElementwiseRules::neg);
            case COS -> known(ElementwiseRules::cos);
            case SIN -> known(ElementwiseRules::sin);
            case WHERE -> known(ElementwiseRules::where);
            case CAST -> known(ElementwiseRules::cast);
            case IDENTITY -> known(ElementwiseRules::identity);

            case GELU -> known(ActivationRules::gelu);
            case QUICK_GELU -> known(ActivationRules::quickGelu);
            case SWI_GLU -> known(ActivationRules::swiGlu);
            case SOFTMAX -> known(ActivationRules::softmax);
            case SEEDED_DROPOUT -> known(ActivationRules::seededDropout);

            case MAT_MUL -> known(ProductRules::matMul);
            case FUSED_MAT_MUL -> known(ProductRules::fusedMatMul);
            case GEMM, MATRIX_PRODUCT -> known(ProductRules::gemm);

            case LAYER_NORMALIZATION -> known(NormalizationRules::layerNormalization);
            case SIMPLIFIED_LAYER_NORMALIZATION -> known(NormalizationRules::rmsNormalization);

            case ROTARY_EMBEDDING -> known(AttentionRules::rotaryEmbedding);
            case CAUSAL_ATTENTION -> known(AttentionRules::causalAttention);

            case CUM_SUM -> known(ReductionRules::cumulativeSum);
            case EXPAND -> known(ReductionRules::expand);
            case REDUCE_SUM -> known(ReductionRules::reduceSum);

            case CONCAT -> known(LayoutRules::concat);
            case SPLIT -> known(LayoutRules::split);
            case RESHAPE, SQUEEZE, UNSQUEEZE -> known(LayoutRules::reshape);
            case TRANSPOSE -> known(LayoutRules::transpose);
            case SLICE -> known(LayoutRules::slice);
            case GATHER -> known(GatherRule::gather);

            case CONSTANT_OF_SHAPE, GRADIENT_PORT, LESS_OR_EQUAL, RANGE, SHAPE -> NONE;

            case ANCHOR_LOSS -> new Refused(
                    "it gives its own gradient: seed its logits with its output student_gradient");
            case CAUSAL_ATTENTION_GRAD,
                    EMBEDDING_GRAD,
                    FAST_GELU_GRAD,
                    GATHER_GRAD,
                    GELU_GRAD,
                    LAYER_NORMALIZATION_GRAD,
                    PAD,
                    QUICK_GELU_GRAD,
                    RMS_NORM_GRAD,
                    SIMPLIFIED_LAYER_NORMALIZATION_GRAD,
                    SOFTMAX_GRAD,
                    SWI_GLU_GRAD -> SECOND_ORDER;
            case ACCUMULATE_EMBEDDING_GRAD,
                    ACCUMULATE_MATRIX_PRODUCT,
                    ADAMW_OPTIMIZER,
                    INPLACE_CLIP_GRAD_NORM,
                    IN_PLACE_ACCUMULATOR -> SIDE_EFFECT;
        };
    }

    private static Derivative known(GradientRule rule) {
        return new Known(rule);
    }

    /** The names of the operators that can be differentiated. */
    static List<String> differentiable() {
        return Arrays.stream(Operator.values())
                .filter(operator -> of(operator) instanceof Known)
                .map(Operator::toString)
                .toList();
    }
}
