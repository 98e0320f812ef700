// AdamW and the sum of squares for one instruction set.
#pragma once

#include "optimizer/adamw.hpp"
#include "simd/vector.inc.hpp"

namespace holdfast::HF_VARIANT {
namespace {

inline F square_root(F value) {
#if defined(__AVX512F__)
    return (F)_mm512_maskz_sqrt_ps(0xffff, (__m512)value);  // GCC 12 warns about its own _mm512_sqrt_ps
#elif defined(__AVX2__)
    return (F)_mm256_sqrt_ps((__m256)value);
#else
    F root;
    for (int lane = 0; lane < LANES; ++lane) {
        root[lane] = __builtin_sqrtf(value[lane]);
    }
    return root;
#endif
}

/// The coefficients of a step, rounded once.
struct Coefficients {
    F decay, step_size, one_minus_beta1, one_minus_beta2, second_moment_scale, epsilon, gradient_scale;

    explicit Coefficients(const AdamwStep &step)
        : decay(broadcast(static_cast<float>(step.decay))),
          step_size(broadcast(static_cast<float>(step.step_size))),
          one_minus_beta1(broadcast(static_cast<float>(1 - step.beta1))),
          one_minus_beta2(broadcast(static_cast<float>(1 - step.beta2))),
          second_moment_scale(broadcast(static_cast<float>(step.second_moment_scale))),
          epsilon(broadcast(static_cast<float>(step.epsilon))),
          gradient_scale(broadcast(static_cast<float>(step.gradient_scale))) {}
};

/// LANES elements. The moments move by a part of their distance: beta and 1 - beta, each rounded to float, would not add up to 1. Decay and
/// update are subtracted together, so that the parameter is rounded once and small learning rates count.
inline void update_vector(const Coefficients &c, float *parameter, const float *gradient, float *first_moment, float *second_moment) {
    const F g = load(gradient) * c.gradient_scale;
    const F theta = load(parameter);
    F m = load(first_moment);
    m = fma(c.one_minus_beta1, g - m, m);
    F v = load(second_moment);
    v = fma(c.one_minus_beta2, g * g - v, v);
    const F denominator = fma(square_root(v), c.second_moment_scale, c.epsilon);
    store(parameter, theta - fma(c.decay, theta, c.step_size * (m / denominator)));
    store(first_moment, m);
    store(second_moment, v);
}

/// Fewer than LANES elements, computed as in update_vector: an element's bits do not depend on where it stands.
inline void update_rest(const Coefficients &c, int64_t count, float *parameter, const float *gradient, float *first_moment,
                        float *second_moment) {
    float padded[4][LANES] = {};
    const size_t bytes = static_cast<size_t>(count) * sizeof(float);
    std::memcpy(padded[0], parameter, bytes);
    std::memcpy(padded[1], gradient, bytes);
    std::memcpy(padded[2], first_moment, bytes);
    std::memcpy(padded[3], second_moment, bytes);
    update_vector(c, padded[0], padded[1], padded[2], padded[3]);
    std::memcpy(parameter, padded[0], bytes);
    std::memcpy(first_moment, padded[2], bytes);
    std::memcpy(second_moment, padded[3], bytes);
}

inline D squared(const float *values) {
    const D value = __builtin_convertvector(load(values), D);
    return value * value;
}

}  // namespace

void adamw_update(const AdamwStep &step, int64_t count, float *parameter, const float *gradient, float *first_moment,
                  float *second_moment) {
    const Coefficients coefficients(step);
    const int64_t whole = count - count % LANES;
    for (int64_t i = 0; i < whole; i += LANES) {
        update_vector(coefficients, parameter + i, gradient + i, first_moment + i, second_moment + i);
    }
    if (whole < count) {
        update_rest(coefficients, count - whole, parameter + whole, gradient + whole, first_moment + whole, second_moment + whole);
    }
}

double sum_of_squares(int64_t count, const float *values) {
    D sums[2] = {};
    int64_t i = 0;
    for (; i + 2 * LANES <= count; i += 2 * LANES) {
        sums[0] += squared(values + i);
        sums[1] += squared(values + i + LANES);
    }
    double total = 0;
    for (; i < count; ++i) {
        total += static_cast<double>(values[i]) * static_cast<double>(values[i]);
    }
    for (int lane = 0; lane < LANES; ++lane) {
        total += sums[0][lane] + sums[1][lane];
    }
    return total;
}

}  // namespace holdfast::HF_VARIANT
