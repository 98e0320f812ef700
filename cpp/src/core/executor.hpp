// Threads: the caller's if there is an executor, else the library's own pool.
#pragma once

#include <cstdint>
#include <type_traits>

#include "holdfast/holdfast.h"

namespace holdfast {

/// Threads that `executor` (NULL: the own pool) may use.
int64_t concurrency(const hf_executor *executor);

void parallel_for(const hf_executor *executor, int64_t task_count, hf_task task, void *task_context);

/// Runs body(i) for i in [0, task_count).
template <class Body>
void parallel_for(const hf_executor *executor, int64_t task_count, Body &&body) {
    using Callable = std::remove_reference_t<Body>;
    parallel_for(
        executor, task_count, [](void *context, int64_t index) { (*static_cast<Callable *>(context))(index); },
        const_cast<void *>(static_cast<const void *>(&body)));
}

/// Runs body(begin, end) over [0, count) cut into blocks of at least `minimum` items, a few per thread.
template <class Body>
void parallel_ranges(const hf_executor *executor, int64_t count, int64_t minimum, Body &&body) {
    const int64_t blocks_wanted = 4 * concurrency(executor);
    int64_t block = (count + blocks_wanted - 1) / blocks_wanted;
    block = block < minimum ? minimum : block;
    const int64_t block_count = (count + block - 1) / block;
    parallel_for(executor, block_count, [&](int64_t index) {
        const int64_t begin = index * block;
        const int64_t end = begin + block < count ? begin + block : count;
        body(begin, end);
    });
}

}  // namespace holdfast
