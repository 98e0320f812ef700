// Whole tensors copied and cleared on the session's threads.
#pragma once

#include "ort/operator.hpp"

namespace holdfast::ort {

/// Floats per task below which handing out tasks costs more than it gains.
constexpr int64_t FLOATS_PER_TASK = 16384;

inline void copy(const Context &context, const float *source, float *target, int64_t count) {
    parallel_ranges(context.executor(), count, FLOATS_PER_TASK, [&](int64_t begin, int64_t end) {
        std::memcpy(target + begin, source + begin, static_cast<size_t>(end - begin) * sizeof(float));
    });
}

inline void clear(const Context &context, float *target, int64_t count) {
    parallel_ranges(context.executor(), count, FLOATS_PER_TASK,
                    [&](int64_t begin, int64_t end) { std::memset(target + begin, 0, static_cast<size_t>(end - begin) * sizeof(float)); });
}

}  // namespace holdfast::ort
