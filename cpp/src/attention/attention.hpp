// What the implementations of causal attention share: the tensors of a call and the signatures of the kernels.
#pragma once

#include <cstdint>

namespace holdfast {

/// The tensors of one call; the gradients and what only they need are NULL in a forward pass.
struct Attention {
    int64_t batch_size;            // B
    int64_t sequence_length;       // T
    int64_t head_count;            // Hq
    int64_t key_value_head_count;  // Hkv
    int64_t head_size;             // d
    float scale;
    const float *query;              // [B, T, Hq d]
    const float *key;                // [B, T, Hkv d]
    const float *value;              // [B, T, Hkv d]
    const float *cosines;            // [T, d / 2] or NULL
    const float *sines;              // [T, d / 2] or NULL
    const float *output_gradient;    // [B, T, Hq d]
    const float *given_output;       // [B, T, Hq d]
    const float *given_log_sum_exp;  // [B, Hq, T]
    float *output;                   // [B, T, Hq d]
    float *log_sum_exp;              // [B, Hq, T]
    float *query_gradient;           // [B, T, Hq d]
    float *key_gradient;             // [B, T, Hkv d]
    float *value_gradient;           // [B, T, Hkv d]

    int64_t group_size() const { return head_count / key_value_head_count; }
};

/// Query heads [first, first + count) of one sequence; all of them attend to the same key and value head.
struct AttentionHeads {
    int64_t batch;
    int64_t first;
    int64_t count;
};

/// Sums that belong to one key and value head: the gradients by its keys, still rotated, and by its values, [T, key_gradient_stride] each.
struct KeyValueSums {
    float *keys;
    float *values;
};

/// The kernels of one instruction set. Scratch memory is aligned to 64 bytes; sizes count floats and are multiples of 16.
struct AttentionKernel {
    int64_t (*forward_scratch)(const Attention &);
    void (*forward)(const Attention &, const AttentionHeads &, float *scratch);

    int64_t (*backward_scratch)(const Attention &);
    /// Floats of each of the two sums.
    int64_t (*key_value_sum)(const Attention &);
    /// Writes the heads' query gradients and overwrites the sums.
    void (*backward)(const Attention &, const AttentionHeads &, const KeyValueSums &, float *scratch);
    /// Adds `count` pairs of sums in their order, each `key_value_sum` floats after the one before, and writes the key and value gradients.
    void (*finish)(const Attention &, int64_t batch, int64_t key_value_head, const KeyValueSums &, int64_t count, int64_t distance);
};

void attention_reference(const Attention &, int64_t batch, int64_t head);
void attention_gradient_reference(const Attention &, int64_t batch, int64_t key_value_head);

namespace baseline {
extern const AttentionKernel attention_kernel;
}
namespace avx2 {
extern const AttentionKernel attention_kernel;
}
namespace avx512 {
extern const AttentionKernel attention_kernel;
}

}  // namespace holdfast
