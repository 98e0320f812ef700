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

/// Rows of floating-point elements; `data` is NULL only where there are none.
hf_status check_rows(const char *name, const void *data, int64_t rows, int64_t columns, int64_t stride, int32_t element_type);
hf_status check_options(const hf_anchor_loss_options *);
/// The values of tokens on the host; alphas only where they are read.
hf_status check_tokens(const hf_anchor_loss_tokens &, int64_t token_count, int64_t vocabulary_size, bool reads_alphas);

/// Computes all tokens, those that take no part included.
hf_status anchor_loss_rows(int32_t backend, const AnchorLoss &, const hf_executor *);

/// What a row of logits says besides its probabilities; all NaN if it has no distribution.
struct RowSummary {
    double log_sum_exp;  // of the logits over the temperature, as all of these
    double entropy;      // in nats
    double label_log_probability;
    bool label_is_argmax;        // the label is the first column with the highest logit
    double inverse_temperature;  // as it was rounded
};

/// Replaces a row of logits by its probabilities, with scratch memory as an AnchorLossRow has it.
using SoftmaxRow = RowSummary (*)(float *row, int64_t width, float temperature, int64_t label, void *scratch);

/// a <- (1 - weight) a + weight b, rows of probabilities; returns the mixture's entropy in nats.
using MixRows = double (*)(float *a, const float *b, int64_t width, float weight);

/// Computes one token, with scratch memory of row_scratch_bytes(), aligned to a cache line.
using AnchorLossRow = void (*)(const AnchorLoss &, int64_t token, void *scratch);

/// Results of a token that takes no part.
void write_ignored(const AnchorLoss &, int64_t token);

void anchor_loss_reference(const AnchorLoss &, int64_t token, void *scratch = nullptr);

namespace baseline {
void anchor_loss_row(const AnchorLoss &, int64_t token, void *scratch);
RowSummary softmax_row(float *row, int64_t width, float temperature, int64_t label, void *scratch);
double mix_rows(float *a, const float *b, int64_t width, float weight);
}  // namespace baseline
namespace avx2 {
void anchor_loss_row(const AnchorLoss &, int64_t token, void *scratch);
RowSummary softmax_row(float *row, int64_t width, float temperature, int64_t label, void *scratch);
double mix_rows(float *a, const float *b, int64_t width, float weight);
}  // namespace avx2
namespace avx512 {
void anchor_loss_row(const AnchorLoss &, int64_t token, void *scratch);
RowSummary softmax_row(float *row, int64_t width, float temperature, int64_t label, void *scratch);
double mix_rows(float *a, const float *b, int64_t width, float weight);
}  // namespace avx512

}  // namespace holdfast
