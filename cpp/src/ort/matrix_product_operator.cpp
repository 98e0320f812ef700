#include "ort/matrix_product_operator.hpp"

#include "ort/bulk.hpp"

namespace holdfast::ort {
namespace {

void require_matrix(const char *name, const Tensor &tensor) {
    if (tensor.shape.size() != 2) {
        throw Refusal(std::string(name) + ": expected a matrix, got shape " + text(tensor.shape));
    }
}

/// Puts c where the product finds it: as its bias, or in y with beta = 1.
void add(const Tensor &c, float *y, MatrixProduct &product, const Context &context) {
    if (c.shape.size() == 1) {
        product.bias = c.as<float>();
        return;
    }
    product.beta = 1;
    if (c.data != y) {
        copy(context, c.as<float>(), y, product.m * product.n);
    }
}

}  // namespace

ProductForm::ProductForm(const Attributes &attributes, int32_t type)
    : transpose_a(attributes.integer("transA", 0) != 0),
      transpose_b(attributes.integer("transB", 0) != 0),
      alpha(attributes.number("alpha", 1.0f)),
      operand_type(type) {}

MatrixProduct ProductForm::of(const Tensor &a, const Tensor &b, int32_t b_type) const {
    require_matrix("a", a);
    require_matrix("b", b);
    MatrixProduct product;
    product.m = a.shape[transpose_a ? 1 : 0];
    product.k = a.shape[transpose_a ? 0 : 1];
    product.n = b.shape[transpose_b ? 0 : 1];
    if (b.shape[transpose_b ? 1 : 0] != product.k) {
        throw Refusal("b: expected " + std::to_string(product.k) + " elements to sum over, as a has, got shape " + text(b.shape));
    }
    product.transpose_a = transpose_a;
    product.transpose_b = transpose_b;
    product.operand_type = operand_type;
    product.alpha = alpha;
    product.a = a.as<float>();
    product.a_stride = a.shape[1];
    product.b = b.data;
    product.b_type = b_type;
    product.b_stride = b.shape[1];
    product.c_stride = product.n;
    return product;
}

template <int32_t OPERAND_TYPE, int32_t B_TYPE>
void MatrixProductOperator<OPERAND_TYPE, B_TYPE>::compute(Context &context) const {
    MatrixProduct product = form_.of(context.input(0), context.input(1), B_TYPE);
    const Tensor c = context.input(2);
    if (c.present && c.shape != Dimensions{product.n} && c.shape != Dimensions{product.m, product.n}) {
        throw Refusal("c: expected shape " + text({product.n}) + " or " + text({product.m, product.n}) + ", got " + text(c.shape));
    }
    product.c = context.output_data<float>(0, {product.m, product.n});
    if (c.present) {
        add(c, product.c, product, context);
    }
    check(multiply(HF_BACKEND_CPU, product, context.executor()));
}

template <int32_t OPERAND_TYPE>
void AccumulateMatrixProductOperator<OPERAND_TYPE>::compute(Context &context) const {
    MatrixProduct product = form_.of(context.input(0), context.input(1));
    const Dimensions shape{product.m, product.n};
    const Tensor total = context.input(2, shape);
    product.beta = context.input(3, {1}).is_set() ? 0.0f : 1.0f;
    product.c = context.aliased_output<float>(0, total);
    check(multiply(HF_BACKEND_CPU, product, context.executor()));
}

template class MatrixProductOperator<HF_FLOAT>;
template class MatrixProductOperator<HF_BFLOAT16>;
template class MatrixProductOperator<HF_FLOAT, HF_BFLOAT16>;
template class MatrixProductOperator<HF_BFLOAT16, HF_BFLOAT16>;
template class AccumulateMatrixProductOperator<HF_FLOAT>;
template class AccumulateMatrixProductOperator<HF_BFLOAT16>;

}  // namespace holdfast::ort
