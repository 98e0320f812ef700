package dev.holdfast.onnx;

import dev.holdfast.error.InvalidGraphException;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * The output types of each operator from its inputs.
 *
 * <p>ONNX Runtime infers shapes too, but not for custom operators, and it reuses a buffer only where it sees equal sizes: so every
 * value of a graph that we write carries its type.
 */
final class TypeInference {
    /** Columns of the statistics that AnchorLoss gives per token. */
    private static final int ANCHOR_LOSS_STATISTICS = 11;

    private final Node node;
    private final Graph graph;

    private TypeInference(Node node, Graph graph) {
        this.node = node;
        this.graph = graph;
    }

    static List<? extends ValueType> infer(Operator operator, Node node, Graph graph) {
        return new TypeInference(node, graph).infer(operator);
    }

    private List<? extends ValueType> infer(Operator operator) {
        return switch (operator) {
            case ADD, SUB, MUL, DIV -> List.of(broadcast(type(0), type(1)));
            case LESS_OR_EQUAL -> List.of(broadcast(type(0), type(1)).withElementType(ElementType.BOOL));
            case WHERE -> List.of(
                    broadcast(broadcast(type(0), type(1)), type(2)).withElementType(type(1).elementType()));
            case CAST -> List.of(type(0).withElementType(
                            ElementType.ofOnnxCode((int) node.attributes().integer("to", 0))));
            case COS,
                    SIN,
                    NEG,
                    GELU,
                    IDENTITY,
                    SOFTMAX,
                    CUM_SUM,
                    QUICK_GELU,
                    ROTARY_EMBEDDING,
                    SEEDED_DROPOUT,
                    SWI_GLU -> List.of(type(0));
            case SOFTMAX_GRAD, QUICK_GELU_GRAD, FAST_GELU_GRAD, GELU_GRAD -> List.of(type(1));
            case SWI_GLU_GRAD -> List.of(type(1), type(2));
            case CONCAT -> List.of(concat());
            case CONSTANT_OF_SHAPE -> List.of(constantOfShape());
            case EXPAND -> List.of(expand());
            case GATHER -> List.of(gather());
            case GATHER_GRAD -> List.of(gatherGrad());
            case GEMM, MATRIX_PRODUCT -> List.of(gemm());
            case MAT_MUL -> List.of(matMul(false, false));
            case FUSED_MAT_MUL -> List.of(matMul(flag("transA"), flag("transB")));
            case LAYER_NORMALIZATION -> List.of(type(0), rowStatistics(), rowStatistics());
            case SIMPLIFIED_LAYER_NORMALIZATION -> List.of(type(0), rowStatistics());
            case LAYER_NORMALIZATION_GRAD -> List.of(type(1), type(2), type(2));
            case SIMPLIFIED_LAYER_NORMALIZATION_GRAD, RMS_NORM_GRAD -> List.of(type(1), type(2));
            case PAD -> List.of(pad());
            case RANGE -> List.of(TensorType.of(type(0).elementType(), Dimension.UNKNOWN));
            case REDUCE_SUM -> List.of(reduceSum());
            case RESHAPE -> List.of(reshape());
            case SHAPE -> List.of(TensorType.of(ElementType.INT64, type(0).rank()));
            case SLICE -> List.of(slice());
            case SPLIT -> split();
            case SQUEEZE -> List.of(squeeze());
            case UNSQUEEZE -> List.of(unsqueeze());
            case TRANSPOSE -> List.of(transpose());
            case ADAMW_OPTIMIZER -> List.of(TensorType.of(ElementType.BOOL, 1));
            case INPLACE_CLIP_GRAD_NORM -> List.of(node.input(0).knownType().orElseThrow());
            case IN_PLACE_ACCUMULATOR -> List.of(TensorType.of(ElementType.BOOL, 1), type(0));
            case ANCHOR_LOSS -> anchorLoss();
            case CAUSAL_ATTENTION -> List.of(type(0), attentionStatistics());
            case CAUSAL_ATTENTION_GRAD -> List.of(type(1), type(2), type(3));
            case GRADIENT_PORT -> List.of(TensorType.of(ElementType.INT64, node.inputCount() / 3, 2));
            case ACCUMULATE_EMBEDDING_GRAD, ACCUMULATE_MATRIX_PRODUCT -> List.of(type(2));
            case EMBEDDING_GRAD -> List.of(embeddingGrad());
        };
    }

    private TensorType type(int input) {
        return node.input(input).type();
    }

    private boolean flag(String attribute) {
        return node.attributes().integer(attribute, 0) != 0;
    }

    private InvalidGraphException mismatch(String expectation) {
        return new InvalidGraphException(node + ": " + expectation);
    }

    private TensorType broadcast(TensorType left, TensorType right) {
        int rank = Math.max(left.rank(), right.rank());
        List<Dimension> dimensions = new ArrayList<>();
        for (int axis = -rank; axis < 0; axis++) {
            dimensions.add(broadcast(
                    -axis > left.rank() ? Dimension.of(1) : left.dimension(axis),
                    -axis > right.rank() ? Dimension.of(1) : right.dimension(axis)));
        }
        return left.withDimensions(dimensions);
    }

    private Dimension broadcast(Dimension left, Dimension right) {
        if (left.equals(Dimension.of(1))) {
            return right;
        }
        if (left.isFixed() && right.isFixed() && !right.equals(left) && !right.equals(Dimension.of(1))) {
            throw mismatch("expected shapes that broadcast, got " + left + " against " + right);
        }
        return left.isUnknown() && !right.equals(Dimension.of(1)) ? right : left;
    }

    private TensorType concat() {
        int axis = (int) node.attributes().integer("axis", 0);
        TensorType first = type(0);
        Dimension total = first.dimension(axis);
        for (int i = 1; i < node.inputCount(); i++) {
            Dimension next = type(i).dimension(axis);
            total = total.plus(next);
        }
        return first.withDimension(axis, total);
    }

    private TensorType constantOfShape() {
        Object value = node.attributes().asMap().get("value");
        ElementType elementType = value instanceof HostTensor tensor ? tensor.elementType() : ElementType.FLOAT;
        return new TensorType(elementType, dimensionsFromShapeOperand(0));
    }

    private TensorType expand() {
        return broadcast(type(0), type(0).withDimensions(dimensionsFromShapeOperand(1)));
    }

    private List<Dimension> dimensionsFromShapeOperand(int input) {
        Optional<HostTensor> constant = graph.constantValue(node.input(input));
        if (constant.isPresent()) {
            return TensorType.of(ElementType.INT64, asObjects(constant.get().toLongArray()))
                    .dimensions();
        }
        Optional<Node> producer = node.input(input).producer();
        if (producer.isPresent() && producer.get().operator().equals(Optional.of(Operator.SHAPE))) {
            return producer.get().input(0).type().dimensions();
        }
        return Collections.nCopies((int) type(input).dimension(0).size(), Dimension.UNKNOWN);
    }

    private static Object[] asObjects(long[] numbers) {
        Object[] objects = new Object[numbers.length];
        for (int i = 0; i < numbers.length; i++) {
            objects[i] = numbers[i];
        }
        return objects;
    }

    private TensorType gather() {
        int axis = (int) node.attributes().integer("axis", 0);
        List<Dimension> dimensions = new ArrayList<>(type(0).dimensions());
        int position = axis < 0 ? axis + dimensions.size() : axis;
        dimensions.remove(position);
        dimensions.addAll(position, type(1).dimensions());
        return type(0).withDimensions(dimensions);
    }

    private TensorType gatherGrad() {
        return new TensorType(type(2).elementType(), dimensionsFromShapeOperand(0));
    }

    private TensorType gemm() {
        return type(0).withDimensions(
                        List.of(type(0).dimension(flag("transA") ? 1 : 0), type(1).dimension(flag("transB") ? 0 : 1)));
    }

    private TensorType matMul(boolean transposeLeft, boolean transposeRight) {
        TensorType left = type(0);
        TensorType right = type(1);
        Dimension inner = left.dimension(transposeLeft ? -2 : -1);
        Dimension rightInner = right.dimension(transposeRight ? -1 : -2);
        if (inner.isFixed() && rightInner.isFixed() && !inner.equals(rightInner)) {
            throw mismatch("expected equal inner dimensions, got " + inner + " against " + rightInner);
        }
        int rank = Math.max(left.rank(), right.rank());
        TensorType leftBatch = left.withDimensions(left.dimensions().subList(0, left.rank() - 2));
        TensorType rightBatch = right.withDimensions(right.dimensions().subList(0, right.rank() - 2));
        List<Dimension> dimensions =
                new ArrayList<>(broadcast(leftBatch, rightBatch).dimensions());
        dimensions.add(left.dimension(transposeLeft ? -1 : -2));
        dimensions.add(right.dimension(transposeRight ? -2 : -1));
        assert dimensions.size() == rank;
        return left.withDimensions(dimensions);
    }

    private TensorType rowStatistics() {
        return type(0).withDimension(-1, Dimension.of(1));
    }

    private TensorType reduceSum() {
        boolean keep = node.attributes().integer("keepdims", 1) != 0;
        List<Dimension> dimensions = new ArrayList<>(type(0).dimensions());
        long[] axes = node.hasInput(1)
                ? constant(1).toLongArray()
                : LongStream.range(0, dimensions.size()).toArray();
        for (long axis : axes) {
            dimensions.set((int) (axis < 0 ? axis + dimensions.size() : axis), keep ? Dimension.of(1) : null);
        }
        dimensions.removeIf(dimension -> dimension == null);
        return type(0).withDimensions(dimensions);
    }

    private HostTensor constant(int input) {
        return graph.constantValue(node.input(input))
                .orElseThrow(() -> mismatch("expected input " + input + " to be a constant"));
    }

    private TensorType reshape() {
        Optional<HostTensor> constant = graph.constantValue(node.input(1));
        if (constant.isEmpty()) {
            return type(0).withDimensions(dimensionsFromShapeOperand(1));
        }
        long[] target = constant.get().toLongArray();
        List<Dimension> dimensions = new ArrayList<>();
        Dimension rest = type(0).elementCount();
        for (int axis = 0; axis < target.length; axis++) {
            Dimension dimension = target[axis] == 0 ? type(0).dimension(axis) : Dimension.of(Math.max(target[axis], 1));
            dimensions.add(dimension);
            rest = rest.dividedBy(dimension);
        }
        for (int axis = 0; axis < target.length; axis++) {
            if (target[axis] < 0) {
                dimensions.set(axis, rest);
            }
        }
        return type(0).withDimensions(dimensions);
    }

    private TensorType pad() {
        long[] padding = constant(1).toLongArray();
        int rank = type(0).rank();
        List<Dimension> dimensions = new ArrayList<>();
        for (int axis = 0; axis < rank; axis++) {
            Dimension dimension = type(0).dimension(axis);
            long added = padding[axis] + padding[axis + rank];
            Dimension padded = dimension.isFixed() ? Dimension.of(dimension.size() + added) : Dimension.UNKNOWN;
            dimensions.add(added == 0 ? dimension : padded);
        }
        return type(0).withDimensions(dimensions);
    }

    private TensorType slice() {
        TensorType sliced = type(0);
        long[] axes = constant(3).toLongArray();
        for (int i = 0; i < axes.length; i++) {
            sliced = sliced.withDimension((int) axes[i], slicedSize(sliced.dimension((int) axes[i]), i));
        }
        return sliced;
    }

    private Dimension slicedSize(Dimension dimension, int position) {
        Optional<HostTensor> starts = graph.constantValue(node.input(1));
        Optional<HostTensor> ends = graph.constantValue(node.input(2));
        boolean contiguous = !node.hasInput(4)
                || graph.constantValue(node.input(4))
                        .filter(TypeInference::allOnes)
                        .isPresent();
        if (starts.isEmpty() || ends.isEmpty() || !dimension.isFixed() || !contiguous) {
            return Dimension.UNKNOWN;
        }
        long start = clamp(starts.get().toLongArray()[position], dimension.size());
        long end = clamp(ends.get().toLongArray()[position], dimension.size());
        return Dimension.of(Math.max(0, end - start));
    }

    private static boolean allOnes(HostTensor tensor) {
        return Arrays.stream(tensor.toLongArray()).allMatch(step -> step == 1);
    }

    private static long clamp(long index, long size) {
        return Math.max(0, Math.min(size, index < 0 ? index + size : index));
    }

    private List<TensorType> split() {
        int axis = (int) node.attributes().integer("axis", 0);
        List<TensorType> parts = new ArrayList<>();
        for (long size : constant(1).toLongArray()) {
            parts.add(type(0).withDimension(axis, Dimension.of(size)));
        }
        return parts;
    }

    private TensorType squeeze() {
        List<Dimension> dimensions = new ArrayList<>(type(0).dimensions());
        for (long axis : constant(1).toLongArray()) {
            dimensions.set((int) (axis < 0 ? axis + dimensions.size() : axis), null);
        }
        dimensions.removeIf(dimension -> dimension == null);
        return type(0).withDimensions(dimensions);
    }

    private TensorType unsqueeze() {
        List<Dimension> dimensions = new ArrayList<>(type(0).dimensions());
        long[] axes = constant(1).toLongArray();
        int rank = dimensions.size() + axes.length;
        for (long axis :
                Arrays.stream(axes).map(a -> a < 0 ? a + rank : a).sorted().toArray()) {
            dimensions.add((int) axis, Dimension.of(1));
        }
        return type(0).withDimensions(dimensions);
    }

    private TensorType transpose() {
        List<Dimension> dimensions = new ArrayList<>();
        for (long axis : node.attributes().integers("perm")) {
            dimensions.add(type(0).dimension((int) axis));
        }
        return type(0).withDimensions(dimensions);
    }

    private List<TensorType> anchorLoss() {
        Dimension rows = type(0).dimension(0);
        return List.of(
                TensorType.of(ElementType.FLOAT),
                type(0),
                TensorType.of(ElementType.FLOAT, rows),
                TensorType.of(ElementType.FLOAT, rows, ANCHOR_LOSS_STATISTICS));
    }

    private TensorType attentionStatistics() {
        return TensorType.of(
                ElementType.FLOAT,
                type(0).dimension(0),
                node.attributes().integer("num_heads", 1),
                type(0).dimension(1));
    }

    private TensorType embeddingGrad() {
        if (node.hasInput(2)) {
            return type(2);
        }
        return TensorType.of(ElementType.FLOAT, node.attributes().integer("vocabulary_size", 0), type(1).dimension(-1));
    }
}
