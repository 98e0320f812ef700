// What the operators of the anchor loss read and reduce alike.
#pragma once

#include "holdfast/holdfast.h"
#include "ort/operator.hpp"

namespace holdfast::ort {

/// From coefficients [temperature, kd_weight, ce_weight, beta] and modes [divergence, interpolation, label_weighting].
hf_anchor_loss_options loss_options(const Context &context, size_t coefficients, size_t modes);

/// The loss of all tokens that take part.
float weighted_sum(const float *weights, const int64_t *labels, const float *token_loss, int64_t count);

}  // namespace holdfast::ort
