// Norms and activations, vectorised. Compiled once per instruction set.
#pragma once

#include <cmath>

#include "decoder/decoder.hpp"
#include "simd/vector.inc.hpp"

namespace holdfast::HF_VARIANT {
namespace {

/// The first `count` floats, the rest 0.
inline F load_part(const float *source, int64_t count) {
    float values[LANES] = {};
    std::memcpy(values, source, static_cast<size_t>(count) * sizeof(float));
    return load(values);
}

inline void store_part(float *target, F value, int64_t count) {
    float values[LANES];
    store(values, value);
    std::memcpy(target, values, static_cast<size_t>(count) * sizeof(float));
}

/// Calls body(offset, load function, store function) for whole vectors and once for the rest.
template <class Body>
inline void for_vectors(int64_t count, Body &&body) {
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        body(
            i, [](const float *source) { return load(source); }, [](float *target, F value) { store(target, value); });
    }
    const int64_t rest = count - i;
    if (rest > 0) {
        body(
            i, [rest](const float *source) { return load_part(source, rest); },
            [rest](float *target, F value) { store_part(target, value, rest); });
    }
}

/// dx = inv (g - x inv^2 mean(g x)), g = dy scale, inv = 1 / sqrt(mean(x^2) + epsilon)
void rms_norm_grad_row(const RmsNormGrad &work, int64_t row, float *d_scale) {
    const int64_t start = row * work.hidden;
    const float *dy = work.dy + start, *x = work.x + start;
    F squares = F{}, products = F{};
    for_vectors(work.hidden, [&](int64_t i, auto get, auto) {
        const F value = get(x + i);
        squares = fma(value, value, squares);
        products = fma(value * get(dy + i), get(work.scale + i), products);
    });
    const double hidden = static_cast<double>(work.hidden);
    const double inverse = 1 / std::sqrt(static_cast<double>(sum_of(squares)) / hidden + static_cast<double>(work.epsilon));
    const F inv = broadcast(static_cast<float>(inverse));
    const F pull = broadcast(static_cast<float>(inverse * inverse * inverse * static_cast<double>(sum_of(products)) / hidden));
    for_vectors(work.hidden, [&](int64_t i, auto get, auto put) {
        const F value = get(x + i), gradient = get(dy + i);
        F result = fma(gradient * get(work.scale + i), inv, -value * pull);
        if (work.residual_grad != nullptr) {
            result += get(work.residual_grad + start + i);
        }
        put(d_scale + i, fma(gradient * inv, value, get(d_scale + i)));
        put(work.dx + start + i, result);
    });
}

void rms_norm_grad(const RmsNormGrad &work, int64_t begin, int64_t end, float *d_scale) {
    for (int64_t row = begin; row < end; ++row) {
        rms_norm_grad_row(work, row, d_scale);
    }
}

inline F sigmoid(F x) {
    const F e = exp(-absolute(x));
    const F inverse = 1.0f / (1.0f + e);
    return select(x < F{}, e * inverse, inverse);
}

void swiglu(const float *gate, const float *up, float *y, int64_t count) {
    for_vectors(count, [&](int64_t i, auto get, auto put) {
        const F g = get(gate + i);
        put(y + i, g * sigmoid(g) * get(up + i));
    });
}

/// d_up = dy silu(g); d_gate = dy up s (1 + g (1 - s)), s = sigmoid(g)
void swiglu_grad(const float *dy, const float *gate, const float *up, float *d_gate, float *d_up, int64_t count) {
    for_vectors(count, [&](int64_t i, auto get, auto put) {
        const F g = get(gate + i), gradient = get(dy + i), u = get(up + i);
        const F s = sigmoid(g);
        put(d_gate + i, gradient * u * s * fma(g, 1.0f - s, broadcast(1.0f)));
        put(d_up + i, gradient * g * s);
    });
}

void add(float *target, const float *source, int64_t count) {
    for_vectors(count, [&](int64_t i, auto get, auto put) { put(target + i, get(target + i) + get(source + i)); });
}

}  // namespace
}  // namespace holdfast::HF_VARIANT
