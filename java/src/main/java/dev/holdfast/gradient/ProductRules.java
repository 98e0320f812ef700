package dev.holdfast.gradient;

import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Dimension;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * Rules of matrix products y = α·a'·b', with a' and b' the operands or their transposes: da' = α·dy·b'ᵀ, db' = α·a'ᵀ·dy.
 *
 * <p>No transpose is ever computed: the products read their operands transposed. Where both operands are matrices the gradient that
 * is already pending goes into the product as its addend.
 */
final class ProductRules {
    private ProductRules() {}

    /** y = a·b over batches. */
    static void matMul(NodeGradient node) {
        product(node, new Product(false, false, 1));
    }

    /** y = α·a'·b' over batches. */
    static void fusedMatMul(NodeGradient node) {
        Attributes attributes = node.attributes();
        if (attributes.integer("transBatchA", 0) != 0 || attributes.integer("transBatchB", 0) != 0) {
            throw node.refusal("expected no transposed batch dimensions, got " + attributes);
        }
        product(node, Product.of(attributes));
    }

    /** y = α·a'·b' + β·c: dc = β·dy. */
    static void gemm(NodeGradient node) {
        matrices(node, Product.of(node.attributes()));
        if (node.wants(2)) {
            Value dy = node.outputGradient();
            Value summed = Broadcast.undo(node, dy, node.type(2), List.of(node.typeOf(node.output(0))));
            float beta = node.attributes().real("beta", 1);
            node.contribute(
                    2,
                    beta == 1
                            ? summed
                            : node.operators()
                                    .mul(summed, node.scalar(beta, node.type(2).elementType())));
        }
    }

    private static void product(NodeGradient node, Product product) {
        int leftRank = node.type(0).rank();
        int rightRank = node.type(1).rank();
        if (leftRank < 2 || rightRank < 2) {
            throw node.refusal("expected operands of at least two dimensions");
        }
        if (leftRank == 2 && rightRank == 2) {
            matrices(node, product);
        } else {
            batches(node, product);
        }
    }

    private static void matrices(NodeGradient node, Product product) {
        Value dy = node.outputGradient();
        if (node.wants(0)) {
            Value b = node.input(1);
            Value pending = node.takePending(0).orElse(null);
            node.contribute(
                    0,
                    product.transposeA
                            ? product.gemm(node, b, product.transposeB, dy, true, pending)
                            : product.gemm(node, dy, false, b, !product.transposeB, pending));
        }
        if (node.wants(1)) {
            weights(node, product, node.input(0), dy);
        }
    }

    private static void weights(NodeGradient node, Product product, Value a, Value dy) {
        Value left = product.transposeB ? dy : a;
        Value right = product.transposeB ? a : dy;
        boolean transposeLeft = product.transposeB || !product.transposeA;
        boolean transposeRight = product.transposeB && product.transposeA;
        if (node.accumulates(1)) {
            Attributes attributes = product.attributes(transposeLeft, transposeRight);
            node.accumulate(1, Operator.ACCUMULATE_MATRIX_PRODUCT, attributes, left, right);
        } else {
            Value pending = node.takePending(1).orElse(null);
            node.contribute(1, product.gemm(node, left, transposeLeft, right, transposeRight, pending));
        }
    }

    private static void batches(NodeGradient node, Product product) {
        Value dy = node.outputGradient();
        Value a = node.input(0);
        Value b = node.input(1);
        if (node.wants(0)) {
            node.contribute(
                    0,
                    summedOverBatches(
                            node,
                            0,
                            product.transposeA
                                    ? product.fused(node, b, product.transposeB, dy, true)
                                    : product.fused(node, dy, false, b, !product.transposeB)));
        }
        if (node.wants(1) && node.type(1).rank() == 2 && !product.transposeA) {
            weights(node, product, rows(node, a), rows(node, dy));
        } else if (node.wants(1)) {
            node.contribute(
                    1,
                    summedOverBatches(
                            node,
                            1,
                            product.transposeB
                                    ? product.fused(node, dy, true, a, product.transposeA)
                                    : product.fused(node, a, !product.transposeA, dy, false)));
        }
    }

    /** All rows of all batches as one matrix. */
    private static Value rows(NodeGradient node, Value value) {
        TensorType type = node.typeOf(value);
        int columns = type.rank() - 1;
        Dimension rows =
                type.withDimensions(type.dimensions().subList(0, columns)).elementCount();
        if (!type.dimension(columns).isFixed()) {
            throw node.refusal("expected a fixed last dimension, got " + value);
        }
        Operators operators = node.operators();
        return operators.reshape(
                value, operators.longs(-1, type.dimension(columns).size()), List.of(rows, type.dimension(columns)));
    }

    private static Value summedOverBatches(NodeGradient node, int input, Value gradient) {
        TensorType own = node.type(input);
        return Broadcast.undo(node, gradient, own, List.of(withMatrixOf(own, node.type(1 - input))));
    }

    /** The other operand's batch dimensions with this operand's matrix, so that only batches can differ. */
    private static TensorType withMatrixOf(TensorType own, TensorType other) {
        List<Dimension> dimensions = new ArrayList<>(other.dimensions().subList(0, other.rank() - 2));
        dimensions.addAll(own.dimensions().subList(own.rank() - 2, own.rank()));
        return other.withDimensions(dimensions);
    }

    /** How a product reads its operands. */
    private record Product(boolean transposeA, boolean transposeB, float alpha) {
        static Product of(Attributes attributes) {
            return new Product(
                    attributes.integer("transA", 0) != 0,
                    attributes.integer("transB", 0) != 0,
                    attributes.real("alpha", 1));
        }

        Value gemm(
                NodeGradient node,
                Value left,
                boolean transposeLeft,
                Value right,
                boolean transposeRight,
                Value addend) {
            return node.operators().gemm(left, transposeLeft, right, transposeRight, alpha, addend);
        }

        Attributes attributes(boolean transposeLeft, boolean transposeRight) {
            return Attributes.of("transA", transposeLeft, "transB", transposeRight, "alpha", alpha);
        }

        Value fused(NodeGradient node, Value left, boolean transposeLeft, Value right, boolean transposeRight) {
            return node.operators().fusedMatMul(left, transposeLeft, right, transposeRight, alpha);
        }
    }
}
