// What the implementations of the anchor loss share: checked arguments and the signature of a kernel.
#pragma once

#include <cstddef>
#include <cstdint>

#include "holdfast/holdfast.h"

/// Keeps code that several instruction sets compile out of the symbol table, where the linker would pick one of them for all.
#define HF_INLINE __attribute__((always_inline))

namespace holdfast {

/// Arguments that were found valid; absent sides have no data.
struct AnchorLoss {
    int64_t token_count;
    hf_anchor_loss_options options;
    hf_logits student;
    hf_logits snapshot;
    hf_logits reference;
    hf_anchor_loss_tokens tokens;
    hf_anchor_loss_outputs outputs;

    HF_INLINE bool has_snapshot() const { return snapshot.data != nullptr; }
    HF_INLINE bool has_reference() const { return reference.data != nullptr; }
    HF_INLINE bool wants_gradient() const { return outputs.student_gradient != nullptr && outputs.gradient_mode != HF_GRADIENT_NONE; }
    HF_INLINE bool is_ignored(int64_t token) const { return tokens.labels[token] == HF_IGNORE_INDEX || tokens.weights[token] == 0.0f; }
    HF_INLINE float alpha(int64_t token) const { return tokens.alphas == nullptr ? 0.0f : tokens.alphas[token]; }

    HF_INLINE int64_t widest_vocabulary() const {
        int64_t width = student.vocabulary_size;
        width = has_snapshot() && snapshot.vocabulary_size > width ? snapshot.vocabulary_size : width;
        return has_reference() && reference.vocabulary_size > width ? reference.vocabulary_size : width;
    }
};

/// Columns that the kernels treat at a time.
constexpr int64_t LOSS_CHUNK = 1024;

static inline int64_t loss_chunks(int64_t width) { return (width + LOSS_CHUNK - 1) / LOSS_CHUNK; }

/// Bytes in which a kernel keeps what it knows of one row from one walk to the next: three floats a column and three a chunk.
static inline size_t row_scratch_bytes(int64_t width) {
    return static_cast<size_t>(loss_chunks(width)) * (3 * LOSS_CHUNK + 3) * sizeof(float);
}

static inline int64_t element_bytes(int32_t element_type) { return element_type == HF_FLOAT ? 4 : 2; }

/// Computes one token, with scratch memory of row_scratch_bytes(), aligned to a cache line.
using AnchorLossRow = void (*)(const AnchorLoss &, int64_t token, void *scratch);

/// Results of a token that takes no part.
void write_ignored(const AnchorLoss &, int64_t token);

void anchor_loss_reference(const AnchorLoss &, int64_t token, void *scratch = nullptr);

namespace baseline {
void anchor_loss_row(const AnchorLoss &, int64_t token, void *scratch);
}
namespace avx2 {
void anchor_loss_row(const AnchorLoss &, int64_t token, void *scratch);
}
namespace avx512 {
void anchor_loss_row(const AnchorLoss &, int64_t token, void *scratch);
}

}  // namespace holdfast
