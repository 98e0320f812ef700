// Matrix products in training graphs, in the operand type that the session asks for.
#pragma once

#include "ort/operator.hpp"
#include "product/product.hpp"

namespace holdfast::ort {

/// The entry of a session's configuration that chooses the operands' type: "float" (as where it is missing) or "bfloat16".
constexpr const char *OPERAND_TYPE_ENTRY = "dev.holdfast.operand_type";

/// How a product reads its operands.
struct ProductForm {
    bool transpose_a, transpose_b;
    float alpha;
    int32_t operand_type;

    ProductForm(const Attributes &attributes, int32_t type);

    /// The product of these matrices; the caller adds where it goes. b_type: how b is stored, HF_FLOAT or HF_BFLOAT16.
    MatrixProduct of(const Tensor &a, const Tensor &b, int32_t b_type = HF_FLOAT) const;
};

/// alpha op(a) op(b) + c, as ONNX's Gemm has it with beta = 1. Frozen weights b may be stored in bfloat16; the product is that of floats
/// still, unless the session rounds operands.
template <int32_t OPERAND_TYPE, int32_t B_TYPE = HF_FLOAT>
class MatrixProductOperator {
public:
    static constexpr const char *NAME = "MatrixProduct";
    static constexpr Parameter INPUTS[] = {
        {"a", abi::FLOAT},                                       // [m, k]; transA: [k, m]
        {"b", B_TYPE == HF_FLOAT ? abi::FLOAT : abi::BFLOAT16},  // [k, n]; transB: [n, k]
        {"c", abi::FLOAT, abi::OPTIONAL},                        // [m, n] or [n]
    };
    static constexpr Parameter OUTPUTS[] = {{"y", abi::FLOAT}};  // [m, n]
    static constexpr InPlace IN_PLACE[] = {{2, 0}};

    explicit MatrixProductOperator(const Attributes &attributes) : form_(attributes, OPERAND_TYPE) {}

    void compute(Context &context) const;
    /// Nothing: inference does not see the attributes. Graphs declare the shapes of their products.
    static void infer_shapes(ShapeInference &) {}

private:
    ProductForm form_;
};

/// total += alpha op(a) op(b) in the memory of `total`, which may belong to the caller of the session; reset: total = alpha op(a) op(b).
template <int32_t OPERAND_TYPE>
class AccumulateMatrixProductOperator {
public:
    static constexpr const char *NAME = "AccumulateMatrixProduct";
    static constexpr Parameter INPUTS[] = {
        {"a", abi::FLOAT},                    // [m, k]; transA: [k, m]
        {"b", abi::FLOAT},                    // [k, n]; transB: [n, k]
        {"total", abi::FLOAT},                // [m, n]
        {"reset", abi::BOOL, abi::OPTIONAL},  // [1]
    };
    static constexpr Parameter OUTPUTS[] = {{"total", abi::FLOAT}};  // [m, n]
    static constexpr InPlace ALIASES[] = {{2, 0}};

    explicit AccumulateMatrixProductOperator(const Attributes &attributes) : form_(attributes, OPERAND_TYPE) {}

    void compute(Context &context) const;
    static void infer_shapes(ShapeInference &inference) { inference.output(0, inference.input(2)); }

private:
    ProductForm form_;
};

}  // namespace holdfast::ort
