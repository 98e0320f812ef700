// What the implementations of AdamW share: the coefficients of a step and the signatures of the kernels.
#pragma once

#include <cstdint>

namespace holdfast {

/// The constants of one step: everything that is the same for all elements.
struct AdamwStep {
    double decay;      // eta * lambda
    double step_size;  // eta / (1 - beta1^t)
    double beta1;
    double beta2;
    double second_moment_scale;  // 1 / sqrt(1 - beta2^t)
    double epsilon;
    double gradient_scale;
};

using AdamwUpdate = void (*)(const AdamwStep &, int64_t count, float *parameter, const float *gradient, float *first_moment,
                             float *second_moment);
using SumOfSquares = double (*)(int64_t count, const float *values);

void adamw_reference(const AdamwStep &, int64_t count, float *parameter, const float *gradient, float *first_moment, float *second_moment);
double sum_of_squares_reference(int64_t count, const float *values);

namespace baseline {
void adamw_update(const AdamwStep &, int64_t count, float *parameter, const float *gradient, float *first_moment, float *second_moment);
double sum_of_squares(int64_t count, const float *values);
}  // namespace baseline
namespace avx2 {
void adamw_update(const AdamwStep &, int64_t count, float *parameter, const float *gradient, float *first_moment, float *second_moment);
double sum_of_squares(int64_t count, const float *values);
}  // namespace avx2
namespace avx512 {
void adamw_update(const AdamwStep &, int64_t count, float *parameter, const float *gradient, float *first_moment, float *second_moment);
double sum_of_squares(int64_t count, const float *values);
}  // namespace avx512

}  // namespace holdfast
