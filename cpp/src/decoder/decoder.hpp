// Kernels of decoder models that ONNX Runtime's stock CPU operators compute on one thread, in several passes, or not at all.
//
// Row-major FLOAT throughout. Each kernel does a part of the work that belongs to one thread; the operators cut the work so that the parts,
// and with them the order of every sum, do not depend on the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>

namespace holdfast {

/// y = x / sqrt(mean(x^2) + epsilon) * scale, backwards.
struct RmsNormGrad {
    int64_t hidden;
    float epsilon;
    const float *dy;             // [rows, hidden]
    const float *x;              // [rows, hidden]
    const float *scale;          // [hidden]
    const float *residual_grad;  // [rows, hidden] or NULL: added to dx
    float *dx;                   // [rows, hidden]
};

/// A kernel per instruction set.
struct DecoderKernels {
    /// Rows [begin, end); adds their part of d_scale to [hidden] zeros.
    void (*rms_norm_grad)(const RmsNormGrad &, int64_t begin, int64_t end, float *d_scale);
    /// y = silu(gate) up
    void (*swiglu)(const float *gate, const float *up, float *y, int64_t count);
    void (*swiglu_grad)(const float *dy, const float *gate, const float *up, float *d_gate, float *d_up, int64_t count);
    /// target += source
    void (*add)(float *target, const float *source, int64_t count);
};

const DecoderKernels &decoder_kernels();

namespace baseline {
extern const DecoderKernels DECODER_KERNELS;
}
namespace avx2 {
extern const DecoderKernels DECODER_KERNELS;
}
namespace avx512 {
extern const DecoderKernels DECODER_KERNELS;
}

}  // namespace holdfast
