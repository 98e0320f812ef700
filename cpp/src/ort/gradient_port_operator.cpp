#include "ort/gradient_port_operator.hpp"

namespace holdfast::ort {

void GradientPortOperator::compute(Context &context) const {
    const size_t input_count = context.input_count();
    if (input_count % 3 != 0) {
        throw Refusal("inputs: expected parameter, gradient buffer and flag in turn, got " + std::to_string(input_count) + " inputs");
    }
    const int64_t parameter_count = static_cast<int64_t>(input_count / 3);
    int64_t *addresses = context.output_data<int64_t>(0, {parameter_count, 2});
    for (size_t i = 0; i < input_count; i += 3) {
        const Tensor parameter = context.input(i);
        const Tensor gradient = context.input(i + 1);
        if (gradient.shape != parameter.shape) {
            throw Refusal("input " + std::to_string(i + 1) + ": expected the parameter's shape " + text(parameter.shape) + ", got " +
                          text(gradient.shape));
        }
        *addresses++ = reinterpret_cast<intptr_t>(parameter.data);
        *addresses++ = reinterpret_cast<intptr_t>(gradient.data);
    }
}

}  // namespace holdfast::ort
