// AdamW in double precision, one element after the other.
#include <cmath>

#include "optimizer/adamw.hpp"

namespace holdfast {

void adamw_reference(const AdamwStep &step, int64_t count, float *parameter, const float *gradient, float *first_moment,
                     float *second_moment) {
    for (int64_t i = 0; i < count; ++i) {
        const double g = step.gradient_scale * static_cast<double>(gradient[i]);
        const double m = step.beta1 * static_cast<double>(first_moment[i]) + (1 - step.beta1) * g;
        const double v = step.beta2 * static_cast<double>(second_moment[i]) + (1 - step.beta2) * g * g;
        const double decayed = static_cast<double>(parameter[i]) * (1 - step.decay);
        parameter[i] = static_cast<float>(decayed - step.step_size * m / (std::sqrt(v) * step.second_moment_scale + step.epsilon));
        first_moment[i] = static_cast<float>(m);
        second_moment[i] = static_cast<float>(v);
    }
}

double sum_of_squares_reference(int64_t count, const float *values) {
    double total = 0;
    for (int64_t i = 0; i < count; ++i) {
        total += static_cast<double>(values[i]) * static_cast<double>(values[i]);
    }
    return total;
}

}  // namespace holdfast
