// Dropout whose mask is a function of numbers that it is given: nothing to keep between steps, and its gradient is the operator itself.
#pragma once

#include "ort/operator.hpp"

namespace holdfast::ort {

/// y = x where a hash of key, stream and place lets it stay, divided by the share that stays, and 0 elsewhere.
class SeededDropoutOperator {
public:
    static constexpr const char *NAME = "SeededDropout";
    static constexpr Parameter INPUTS[] = {
        {"x", abi::FLOAT},    // [...]
        {"key", abi::INT64},  // [...]
    };
    static constexpr Parameter OUTPUTS[] = {{"y", abi::FLOAT}};
    static constexpr InPlace IN_PLACE[] = {{0, 0}};

    /// ratio: the share that is left out, in (0, 1), to within 2^-17; stream: tells uses of one key apart.
    explicit SeededDropoutOperator(const Attributes &attributes);

    void compute(Context &context) const;
    static void infer_shapes(ShapeInference &inference) { inference.output(0, inference.input(0)); }

private:
    int64_t stream_;
    uint32_t threshold_;  // of 2^16: lower draws leave out
    float scale_;
};

}  // namespace holdfast::ort
