// Matrix products for the kernels of this library; holdfast/matrix_product.h says what they compute.
#pragma once

#include "holdfast/matrix_product.h"

namespace holdfast {

/// As hf_multiply, of arguments that are known to be right.
hf_status multiply(int32_t backend, const hf_matrix_product &product, const hf_executor *executor);

}  // namespace holdfast
