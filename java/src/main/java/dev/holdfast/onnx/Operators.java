package dev.holdfast.onnx;

import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Appends operators to a graph, one method each, under a name scope.
 *
 * <p>Shapes in the comments are outermost first. Every method gives the operator's first output unless it says otherwise.
 */
public final class Operators {
    private final Graph graph;
    private final Kernels kernels;
    private final String scope;

    private Operators(Graph graph, Kernels kernels, String scope) {
        this.graph = graph;
        this.kernels = kernels;
        this.scope = scope;
    }

    /** Appends operators that every ONNX Runtime has to this graph, without a scope. */
    public static Operators on(Graph graph) {
        return on(graph, Kernels.STOCK);
    }

    /** Appends operators of this kind to this graph, without a scope. */
    public static Operators on(Graph graph, Kernels kernels) {
        return new Operators(graph, kernels, "");
    }

    /** Appends to the same graph under a scope inside this one: names become {@code scope/inner/Operator}. */
    public Operators in(String inner) {
        return new Operators(graph, kernels, scope + inner + "/");
    }

    /** Which operators are appended where there is a choice. */
    public Kernels kernels() {
        return kernels;
    }

    /** The graph that is appended to. */
    public Graph graph() {
        return graph;
    }

    /** A node with one output. */
    public Value add(Operator operator, Attributes attributes, Value... inputs) {
        return node(operator, 1, attributes, inputs).output();
    }

    /** A node with this many outputs; null inputs are omitted ones. */
    public Node node(Operator operator, int outputCount, Attributes attributes, Value... inputs) {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < outputCount; i++) {
            names.add(graph.freshName(scope + operator.operatorName().type() + (i == 0 ? "" : ":" + i)));
        }
        return graph.add(operator, trimmed(inputs), attributes, names);
    }

    private static List<Value> trimmed(Value... inputs) {
        int count = inputs.length;
        while (count > 0 && inputs[count - 1] == null) {
            count--;
        }
        return Arrays.asList(inputs).subList(0, count);
    }

    /** A constant of these integers, shape [values.length]. */
    public Value longs(long... values) {
        return graph.constant("constant/int64", HostTensor.ofLongs(values, values.length));
    }

    /** A scalar INT64 constant. */
    public Value longScalar(long value) {
        return graph.constant("constant/int64", HostTensor.ofLongs(new long[] {value}));
    }

    /** A scalar FLOAT constant. */
    public Value floatScalar(float value) {
        return graph.constant("constant/float", HostTensor.ofFloats(new float[] {value}));
    }

    /** A FLOAT constant of shape [values.length]. */
    public Value floats(float... values) {
        return graph.constant("constant/float", HostTensor.ofFloats(values, values.length));
    }

    /** Element-wise sum with broadcasting. */
    public Value add(Value left, Value right) {
        return add(Operator.ADD, Attributes.NONE, left, right);
    }

    /** Element-wise difference with broadcasting. */
    public Value sub(Value left, Value right) {
        return add(Operator.SUB, Attributes.NONE, left, right);
    }

    /** Element-wise product with broadcasting. */
    public Value mul(Value left, Value right) {
        return add(Operator.MUL, Attributes.NONE, left, right);
    }

    /** Element-wise negation. */
    public Value neg(Value value) {
        return add(Operator.NEG, Attributes.NONE, value);
    }

    /** Element-wise cosine of radians. */
    public Value cos(Value value) {
        return add(Operator.COS, Attributes.NONE, value);
    }

    /** Element-wise sine of radians. */
    public Value sin(Value value) {
        return add(Operator.SIN, Attributes.NONE, value);
    }

    /** Element-wise {@code left <= right} with broadcasting. */
    public Value lessOrEqual(Value left, Value right) {
        return add(Operator.LESS_OR_EQUAL, Attributes.NONE, left, right);
    }

    /** The same values in another element type. */
    public Value cast(Value value, ElementType to) {
        return add(Operator.CAST, Attributes.of("to", to.onnxCode()), value);
    }

    /** Values joined along an axis. */
    public Value concat(int axis, Value... values) {
        return add(Operator.CONCAT, Attributes.of("axis", axis), values);
    }

    /** Rows of {@code data} along an axis at the indices. */
    public Value gather(Value data, Value indices, int axis) {
        return add(Operator.GATHER, Attributes.of("axis", axis), data, indices);
    }

    /** {@code transA(a)·transB(b) + c}: a [M,K], b [K,N], c [M,N] or [N] or null. */
    public Value gemm(Value a, boolean transposeA, Value b, boolean transposeB, Value c) {
        return gemm(a, transposeA, b, transposeB, 1, c);
    }

    /**
     * {@code alpha·transA(a)·transB(b) + c}: a [M,K], b [K,N], c [M,N] or [N] or null.
     *
     * @param b of the type of {@code a}; where that is FLOAT, also BFLOAT16
     */
    public Value gemm(Value a, boolean transposeA, Value b, boolean transposeB, float alpha, Value c) {
        ElementType type = a.type().elementType();
        Attributes attributes = Attributes.of("transA", transposeA, "transB", transposeB, "alpha", alpha);
        return kernels == Kernels.HOLDFAST && type == ElementType.FLOAT
                ? add(Operator.MATRIX_PRODUCT, attributes, a, b, c)
                : add(Operator.GEMM, attributes, a, as(type, b), c);
    }

    private Value as(ElementType type, Value value) {
        return value.type().elementType() == type ? value : cast(value, type);
    }

    /** Rows of a table at indices, as FLOAT. */
    public Value embedding(Value table, Value indices) {
        return as(ElementType.FLOAT, gather(table, indices, 0));
    }

    /** {@code alpha·transA(a)·transB(b)} with batch dimensions. */
    public Value fusedMatMul(Value a, boolean transposeA, Value b, boolean transposeB, float alpha) {
        return add(
                Operator.FUSED_MAT_MUL,
                Attributes.of("transA", transposeA, "transB", transposeB, "alpha", alpha),
                a,
                b);
    }

    /** Matrix product with batch dimensions. */
    public Value matMul(Value a, Value b) {
        return add(Operator.MAT_MUL, Attributes.NONE, a, b);
    }

    /** The same values with other dimensions, 0 copying a dimension and one -1 standing for what is left. */
    public Value reshape(Value value, long... dimensions) {
        return add(Operator.RESHAPE, Attributes.NONE, value, longs(dimensions));
    }

    /** The same values with dimensions known at run time; {@code type} declares what they will be. */
    public Value reshape(Value value, Value shape, List<Dimension> dimensions) {
        String name = graph.freshName(scope + "Reshape");
        return graph.addTyped(
                        Operator.RESHAPE.operatorName(),
                        List.of(value, shape),
                        Attributes.NONE,
                        List.of(name),
                        List.of(value.type().withDimensions(dimensions)))
                .output();
    }

    /** Axes in another order. */
    public Value transpose(Value value, long... permutation) {
        return add(Operator.TRANSPOSE, Attributes.of("perm", permutation), value);
    }

    /** The dimensions of a value as INT64[rank]. */
    public Value shape(Value value) {
        return add(Operator.SHAPE, Attributes.NONE, value);
    }

    /** The values {@code 0, 1, …, limit-1} of a scalar INT64 limit; {@code size} declares the limit. */
    public Value range(Value limit, Dimension size) {
        return graph.addTyped(
                        Operator.RANGE.operatorName(),
                        List.of(longScalar(0), limit, longScalar(1)),
                        Attributes.NONE,
                        List.of(graph.freshName(scope + "Range")),
                        List.of(TensorType.of(ElementType.INT64, size)))
                .output();
    }

    /** Dimensions of size 1 added at these axes of the result. */
    public Value unsqueeze(Value value, long... axes) {
        return add(Operator.UNSQUEEZE, Attributes.NONE, value, longs(axes));
    }

    /** Dimensions of size 1 removed. */
    public Value squeeze(Value value, long... axes) {
        return add(Operator.SQUEEZE, Attributes.NONE, value, longs(axes));
    }

    /** {@code condition ? left : right} with broadcasting. */
    public Value where(Value condition, Value left, Value right) {
        return add(Operator.WHERE, Attributes.NONE, condition, left, right);
    }

    /** Sum over axes. */
    public Value reduceSum(Value value, boolean keepDimensions, long... axes) {
        return add(Operator.REDUCE_SUM, Attributes.of("keepdims", keepDimensions), value, longs(axes));
    }

    /** Probabilities along the last axis. */
    public Value softmax(Value value) {
        return add(Operator.SOFTMAX, Attributes.of("axis", -1), value);
    }

    /** The value cut along an axis into parts of these sizes. */
    public List<Value> split(Value value, int axis, long... sizes) {
        Node node = node(Operator.SPLIT, sizes.length, Attributes.of("axis", axis), value, longs(sizes));
        return Collections.unmodifiableList(node.outputs());
    }

    /** {@code x / sqrt(mean(x²) + epsilon) · scale} over the last axis; the node's second output is the reciprocal root, as the gradient needs it. */
    public Value rmsNorm(Value value, Value scale, float epsilon) {
        Attributes attributes = Attributes.of("axis", -1, "epsilon", epsilon, "stash_type", 1);
        return node(Operator.SIMPLIFIED_LAYER_NORMALIZATION, 2, attributes, value, scale)
                .output();
    }

    /** {@code (x − mean) / sqrt(variance + epsilon) · scale + bias} over the last axis; mean and reciprocal root are the next outputs. */
    public Value layerNorm(Value value, Value scale, Value bias, float epsilon) {
        Attributes attributes = Attributes.of("axis", -1, "epsilon", epsilon, "stash_type", 1);
        return node(Operator.LAYER_NORMALIZATION, 3, attributes, value, scale, bias)
                .output();
    }

    /** {@code x · sigmoid(x)}. */
    public Value silu(Value value) {
        return add(Operator.QUICK_GELU, Attributes.of("alpha", 1f), value);
    }

    /** {@code silu(gate)·up}, the gated unit of Llama's feed-forward layer. */
    public Value swiGlu(Value gate, Value up) {
        return kernels == Kernels.HOLDFAST ? add(Operator.SWI_GLU, Attributes.NONE, gate, up) : mul(silu(gate), up);
    }

    /** GELU by its tanh approximation, as GPT-2 has it, or exactly. */
    public Value gelu(Value value, boolean tanhApproximation) {
        return add(Operator.GELU, Attributes.of("approximate", tanhApproximation ? "tanh" : "none"), value);
    }

    /**
     * Values left out at random and the others divided by the share that stays; needs {@link Kernels#HOLDFAST}.
     *
     * @param value FLOAT of any shape
     * @param key INT64 of any length: equal keys and streams leave out equal places
     * @param ratio the share that is left out, in (0, 1)
     * @param stream tells uses of one key apart, at least 0
     */
    public Value seededDropout(Value value, Value key, float ratio, int stream) {
        return add(Operator.SEEDED_DROPOUT, Attributes.of("ratio", ratio, "stream", stream), value, key);
    }

    /**
     * Rotary position embedding, halves rotated as Hugging Face's models have it.
     *
     * @param value FLOAT[B, heads, T, headSize]
     * @param positions INT64[B, T], or INT64[1] for the position of the first token of every row
     * @param cosines FLOAT[positions, headSize / 2]
     * @param sines as {@code cosines}
     */
    public Value rotaryEmbedding(Value value, Value positions, Value cosines, Value sines) {
        return add(Operator.ROTARY_EMBEDDING, Attributes.NONE, value, positions, cosines, sines);
    }
}
