#include "ort/loss_operands.hpp"

namespace holdfast::ort {

hf_anchor_loss_options loss_options(const Context &context, size_t coefficients, size_t modes) {
    const float *numbers = context.input(coefficients, {4}).as<float>();
    const int64_t *codes = context.input(modes, {3}).as<int64_t>();
    return {sizeof(hf_anchor_loss_options),
            static_cast<int32_t>(codes[0]),
            static_cast<int32_t>(codes[1]),
            static_cast<int32_t>(codes[2]),
            numbers[0],
            numbers[1],
            numbers[2],
            numbers[3]};
}

}  // namespace holdfast::ort
