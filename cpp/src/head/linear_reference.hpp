// What the double-precision references of this folder share.
#pragma once

#include <vector>

#include "head/linear_logits.hpp"

namespace holdfast {

/// A token's logits in double precision; -inf from the vocabulary on to `width`.
std::vector<double> linear_row(const hf_linear_logits &, int64_t token, int64_t width);

}  // namespace holdfast
