// What the operators of the anchor loss read alike.
#pragma once

#include "holdfast/holdfast.h"
#include "ort/operator.hpp"

namespace holdfast::ort {

/// From coefficients [temperature, kd_weight, ce_weight, beta] and modes [divergence, interpolation, label_weighting].
hf_anchor_loss_options loss_options(const Context &context, size_t coefficients, size_t modes);

}  // namespace holdfast::ort
