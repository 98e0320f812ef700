// Rows of logits replaced by probabilities, on the executor's threads.
#pragma once

#include <atomic>

#include "core/error.hpp"
#include "core/executor.hpp"
#include "core/instruction_set.hpp"
#include "core/scratch.hpp"
#include "loss/anchor_loss.hpp"

namespace holdfast {

/// Calls visit(row, summary) once a row holds its probabilities; without labels the summary is that of column 0.
template <class Visit>
hf_status softmax_rows(float *logits, int64_t count, int64_t vocabulary_size, float temperature, const int64_t *labels,
                       const hf_executor *executor, Visit &&visit) {
    const SoftmaxRow softmax = select_variant<SoftmaxRow>(baseline::softmax_row, avx2::softmax_row, avx512::softmax_row);
    const size_t scratch_bytes = row_scratch_bytes(vocabulary_size);
    std::atomic<bool> exhausted{false};
    parallel_for(executor, count, [&](int64_t row) {
        const Scratch scratch(scratch_bytes);
        if (scratch.data() == nullptr) {
            exhausted = true;
            return;
        }
        visit(row,
              softmax(logits + row * vocabulary_size, vocabulary_size, temperature, labels == nullptr ? 0 : labels[row], scratch.data()));
    });
    return exhausted ? fail(HF_OUT_OF_MEMORY, "anchor loss: no memory for %zu bytes per thread", scratch_bytes) : HF_OK;
}

}  // namespace holdfast
