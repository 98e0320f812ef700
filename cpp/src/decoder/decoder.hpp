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

/// softmax(scale q k^T + causal mask) v for grouped heads, with q and k rotated by position first.
struct CausalAttention {
    int64_t batch, length, heads, kv_heads, head_size;
    float scale;
    const float *q;              // [batch, length, heads * head_size]
    const float *k, *v;          // [batch, length, kv_heads * head_size]
    const float *cos, *sin;      // [length, head_size / 2] or NULL
    float *o;                    // [batch, length, heads * head_size]
    float *lse;                  // [batch, heads, length]: log-sum-exp of the scores
    const float *d_o;            // backward only, like o
    float *dq, *dk, *dv;         // backward only, like q, k and v

    __attribute__((always_inline)) int64_t group() const { return heads / kv_heads; }
    /// Queries that are handled together.
    int64_t tile() const;
    /// Floats of scratch memory that a forward or backward task needs.
    int64_t scratch_floats() const;
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
    /// One key-value head of one sequence with all its query heads.
    void (*attention)(const CausalAttention &, int64_t batch, int64_t kv_head, float *scratch);
    void (*attention_grad)(const CausalAttention &, int64_t batch, int64_t kv_head, float *scratch);
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

/// Row strides that are no multiple of a page keep the columns of a matrix from sharing a few cache sets.
constexpr int64_t ROW_PADDING = 16;

}  // namespace holdfast
