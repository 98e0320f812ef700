// The sum over tokens: one block adds what tokens contribute, each thread its own share and then one after the other, so that the bits are
// the same on every run.
#pragma once

#include "cuda/board.hpp"

namespace holdfast::cuda {

constexpr int SUM_THREADS = MAX_THREADS;

HF_KERNEL(SUM_THREADS, 1)
void sum_losses(int64_t token_count, const int64_t *labels, const float *weights, const float *token_loss, float *sum) {
    double share[SUMS] = {};
    for (int64_t token = device::thread_index(); token < token_count; token += device::block_size()) {
        const float weight = device::load_cached(weights + token);
        if (weight != 0.0f && device::load_cached(labels + token) != HF_IGNORE_INDEX) {
            share[0] += static_cast<double>(weight) * static_cast<double>(device::load_cached(token_loss + token));
        }
    }
    Board &board = *reinterpret_cast<Board *>(device::shared_memory());
    contribute_sums(board, 0, share, false);
    if (device::thread_index() == 0) {
        device::store_cached(sum, static_cast<float>(board.contributions[0].sums[0]));
    }
}

}  // namespace holdfast::cuda
