// The operator dev.holdfast:GradientPort.
#pragma once

#include <array>

#include "ort/operator.hpp"

namespace holdfast::ort {

/// Tells where parameters and gradient buffers lie, so that they can be read and changed between two runs. Copies nothing.
///
/// Inputs, three per parameter in turn: the parameter FLOAT[...], its gradient buffer of the same shape, and a BOOL[1] that is computed
/// from the buffer, so that this node runs after the accumulation. Output: INT64[parameters, 2], the addresses of parameter and buffer. All
/// inputs must be inputs of the graph whose memory the caller keeps; the addresses are good as long as that memory is.
class GradientPortOperator {
public:
    static constexpr const char *NAME = "GradientPort";
    static constexpr Parameter INPUTS[] = {{"parameters_gradients_flags", abi::UNDEFINED, abi::VARIADIC}};
    static constexpr Parameter OUTPUTS[] = {{"addresses", abi::INT64}};
    static constexpr std::array<InPlace, 0> IN_PLACE{};

    explicit GradientPortOperator(const Attributes &) {}

    void compute(Context &context) const;
    static void infer_shapes(ShapeInference &) {}
};

}  // namespace holdfast::ort
