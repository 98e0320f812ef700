package dev.holdfast.onnx;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The operators that Holdfast builds graphs of, with the numbers of inputs and outputs that they take. */
public enum Operator {
    ADD(Domain.ONNX, "Add", 2, 2, 1),
    CAST(Domain.ONNX, "Cast", 1, 1, 1),
    CONCAT(Domain.ONNX, "Concat", 1, Integer.MAX_VALUE, 1),
    CONSTANT_OF_SHAPE(Domain.ONNX, "ConstantOfShape", 1, 1, 1),
    COS(Domain.ONNX, "Cos", 1, 1, 1),
    CUM_SUM(Domain.ONNX, "CumSum", 2, 2, 1),
    DIV(Domain.ONNX, "Div", 2, 2, 1),
    EXPAND(Domain.ONNX, "Expand", 2, 2, 1),
    GATHER(Domain.ONNX, "Gather", 2, 2, 1),
    GELU(Domain.ONNX, "Gelu", 1, 1, 1),
    GEMM(Domain.ONNX, "Gemm", 2, 3, 1),
    IDENTITY(Domain.ONNX, "Identity", 1, 1, 1),
    LAYER_NORMALIZATION(Domain.ONNX, "LayerNormalization", 2, 3, 3),
    LESS_OR_EQUAL(Domain.ONNX, "LessOrEqual", 2, 2, 1),
    MAT_MUL(Domain.ONNX, "MatMul", 2, 2, 1),
    MUL(Domain.ONNX, "Mul", 2, 2, 1),
    NEG(Domain.ONNX, "Neg", 1, 1, 1),
    PAD(Domain.ONNX, "Pad", 2, 4, 1),
    RANGE(Domain.ONNX, "Range", 3, 3, 1),
    REDUCE_SUM(Domain.ONNX, "ReduceSum", 1, 2, 1),
    RESHAPE(Domain.ONNX, "Reshape", 2, 2, 1),
    SHAPE(Domain.ONNX, "Shape", 1, 1, 1),
    SIMPLIFIED_LAYER_NORMALIZATION(Domain.ONNX, "SimplifiedLayerNormalization", 2, 2, 2),
    SIN(Domain.ONNX, "Sin", 1, 1, 1),
    SLICE(Domain.ONNX, "Slice", 3, 5, 1),
    SOFTMAX(Domain.ONNX, "Softmax", 1, 1, 1),
    SPLIT(Domain.ONNX, "Split", 1, 2, Integer.MAX_VALUE),
    SQUEEZE(Domain.ONNX, "Squeeze", 1, 2, 1),
    SUB(Domain.ONNX, "Sub", 2, 2, 1),
    TRANSPOSE(Domain.ONNX, "Transpose", 1, 1, 1),
    UNSQUEEZE(Domain.ONNX, "Unsqueeze", 2, 2, 1),
    WHERE(Domain.ONNX, "Where", 3, 3, 1),

    ADAMW_OPTIMIZER(Domain.MICROSOFT, "AdamWOptimizer", 6, 6, 5),
    FAST_GELU_GRAD(Domain.MICROSOFT, "FastGeluGrad", 2, 2, 1),
    FUSED_MAT_MUL(Domain.MICROSOFT, "FusedMatMul", 2, 2, 1),
    GATHER_GRAD(Domain.MICROSOFT, "GatherGrad", 3, 3, 1),
    GELU_GRAD(Domain.MICROSOFT, "GeluGrad", 2, 2, 1),
    IN_PLACE_ACCUMULATOR(Domain.MICROSOFT, "InPlaceAccumulatorV2", 2, 3, 2),
    INPLACE_CLIP_GRAD_NORM(Domain.MICROSOFT, "InplaceClipGradNorm", 1, 1, 1),
    LAYER_NORMALIZATION_GRAD(Domain.MICROSOFT, "LayerNormalizationGrad", 5, 5, 3),
    QUICK_GELU(Domain.MICROSOFT, "QuickGelu", 1, 1, 1),
    QUICK_GELU_GRAD(Domain.MICROSOFT, "QuickGeluGrad", 2, 2, 1),
    ROTARY_EMBEDDING(Domain.MICROSOFT, "RotaryEmbedding", 4, 4, 1),
    SIMPLIFIED_LAYER_NORMALIZATION_GRAD(Domain.MICROSOFT, "SimplifiedLayerNormalizationGrad", 4, 4, 2),
    SOFTMAX_GRAD(Domain.MICROSOFT, "SoftmaxGrad_13", 2, 2, 1),

    ACCUMULATE_EMBEDDING_GRAD(Domain.HOLDFAST, "AccumulateEmbeddingGrad", 3, 4, 1),
    ACCUMULATE_MATRIX_PRODUCT(Domain.HOLDFAST, "AccumulateMatrixProduct", 3, 4, 1),
    ANCHOR_LOSS(Domain.HOLDFAST, "AnchorLoss", 8, 8, 4),
    CAUSAL_ATTENTION(Domain.HOLDFAST, "CausalAttention", 3, 5, 2),
    CAUSAL_ATTENTION_GRAD(Domain.HOLDFAST, "CausalAttentionGrad", 6, 8, 3),
    EMBEDDING_GRAD(Domain.HOLDFAST, "EmbeddingGrad", 2, 3, 1),
    GRADIENT_PORT(Domain.HOLDFAST, "GradientPort", 3, Integer.MAX_VALUE, 1),
    MATRIX_PRODUCT(Domain.HOLDFAST, "MatrixProduct", 2, 3, 1),
    RMS_NORM_GRAD(Domain.HOLDFAST, "RmsNormGrad", 3, 4, 2),
    SEEDED_DROPOUT(Domain.HOLDFAST, "SeededDropout", 2, 2, 1),
    SWI_GLU(Domain.HOLDFAST, "SwiGlu", 2, 2, 1),
    SWI_GLU_GRAD(Domain.HOLDFAST, "SwiGluGrad", 3, 3, 2);

    /** The domains of operators and the versions of their operator sets that graphs import. */
    public static final class Domain {
        /** ONNX's own operators, and those that ONNX Runtime keeps among them. */
        public static final String ONNX = "";
        /** ONNX Runtime's additional operators, training operators included. */
        public static final String MICROSOFT = "com.microsoft";
        /** The custom operators of Holdfast's native library. */
        public static final String HOLDFAST = "dev.holdfast";

        private static final Map<String, Long> VERSIONS = Map.of(ONNX, 20L, MICROSOFT, 1L, HOLDFAST, 1L);

        private Domain() {}

        /** The operator set version that graphs import for a domain. */
        public static long version(String domain) {
            return VERSIONS.getOrDefault(domain, 1L);
        }
    }

    private static final Map<OperatorName, Operator> BY_NAME =
            Arrays.stream(values()).collect(Collectors.toUnmodifiableMap(Operator::operatorName, Function.identity()));

    private final OperatorName operatorName;
    private final int minimumInputs;
    private final int maximumInputs;
    private final int maximumOutputs;

    Operator(String domain, String type, int minimumInputs, int maximumInputs, int maximumOutputs) {
        this.operatorName = new OperatorName(domain, type);
        this.minimumInputs = minimumInputs;
        this.maximumInputs = maximumInputs;
        this.maximumOutputs = maximumOutputs;
    }

    /** The operator with this domain and name, if Holdfast knows it. */
    public static Optional<Operator> find(OperatorName name) {
        return Optional.ofNullable(BY_NAME.get(name));
    }

    /** The domain and name in ONNX files. */
    public OperatorName operatorName() {
        return operatorName;
    }

    boolean takesInputs(int count) {
        return count >= minimumInputs && count <= maximumInputs;
    }

    boolean givesOutputs(int count) {
        return count >= 1 && count <= maximumOutputs;
    }

    /** For example {@code com.microsoft:FusedMatMul}. */
    @Override
    public String toString() {
        return operatorName.toString();
    }
}
