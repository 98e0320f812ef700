// Matrix products of floats by oneDNN.
#pragma once

#include "holdfast/matrix_product.h"

namespace holdfast {

/// c <- alpha op(a) op(b) + beta c, or + bias in every row; op transposes where it is asked to.
/// With m, n, k the sizes of the product, a is stored as [m, k] (transposed: [k, m]), b as [k, n] (transposed: [n, k]), c as [m, n],
/// row by row, strides counting elements from one stored row to the next. c must not overlap the others. beta = 0 or a bias: c is only
/// written.
struct MatrixProduct {
    int64_t m = 0, n = 0, k = 0;
    bool transpose_a = false, transpose_b = false;
    int32_t operand_type = HF_FLOAT;  // HF_BFLOAT16: operands are rounded to it, sums are those of floats
    float alpha = 1, beta = 0;
    const float *a = nullptr;
    int64_t a_stride = 0;
    const void *b = nullptr;
    int64_t b_stride = 0;
    int32_t b_type = HF_FLOAT;    // as stored: HF_FLOAT or HF_BFLOAT16
    const float *bias = nullptr;  // [n], only with beta = 0; NULL: none
    float *c = nullptr;
    int64_t c_stride = 0;
};

/// Whether HF_BACKEND_CPU can multiply operands of this type: a library is open and has such a product, and so has the processor.
hf_status check_multiplies(int32_t operand_type);

/// HF_BACKEND_REFERENCE sums in double precision; HF_BACKEND_CPU takes an open library. The bits depend on the library, the processor and
/// the sizes, not on the number of threads.
hf_status multiply(int32_t backend, const MatrixProduct &product, const hf_executor *executor);

}  // namespace holdfast
