// Logits that are products of hidden states and a head: checks, and the steps of which the fused loss is made.
#pragma once

#include <cstdint>

#include "core/span.hpp"
#include "holdfast/linear_anchor_loss.h"
#include "simd/element.hpp"

namespace holdfast {

inline bool is_present(const hf_linear_logits &logits) { return logits.vocabulary_size > 0; }

inline bool same_head(const hf_linear_logits &a, const hf_linear_logits &b) {
    return a.head == b.head && a.vocabulary_size == b.vocabulary_size && a.hidden_size == b.hidden_size && a.head_stride == b.head_stride &&
           a.head_type == b.head_type;
}

inline double hidden_at(const hf_linear_logits &logits, int64_t token, int64_t i) {
    return element_at(logits.hidden, logits.hidden_type, token * logits.hidden_stride + i);
}

inline double head_at(const hf_linear_logits &logits, int64_t column, int64_t i) {
    return element_at(logits.head, logits.head_type, column * logits.head_stride + i);
}

/// Nothing for a side that is absent, as its sizes are 0.
Span span_of_hidden(const hf_linear_logits &, int64_t token_count);
Span span_of_head(const hf_linear_logits &);

hf_status check_linear_logits(const char *name, const hf_linear_logits *logits, int64_t token_count, int32_t backend);

/// The type of the products' operands, and on the CPU a library that multiplies them.
hf_status check_operand_type(int32_t operand_type, int32_t backend);

/// The hidden states of some tokens as floats, row after row.
void gather_hidden(const hf_linear_logits &, const int64_t *tokens, int64_t count, float *target);

/// c <- (1 - alpha) c + alpha r for one token: exactly c and r at the ends, as the mixture of logits is.
void mix_hidden(float alpha, int64_t hidden_size, float *c, const float *r);

/// logits[count, vocabulary_size] <- hidden[count, hidden_size] transpose(head) + beta logits
hf_status multiply_by_head(const hf_linear_logits &, int32_t operand_type, const float *hidden, int64_t count, float *logits, float beta,
                           const hf_executor *);

/// sums[count, hidden_size] <- rows[count, vocabulary_size] head
hf_status multiply_by_rows_of_head(const hf_linear_logits &, int32_t operand_type, const float *rows, int64_t count, float *sums,
                                   const hf_executor *);

}  // namespace holdfast
