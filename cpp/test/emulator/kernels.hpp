// Kernels that use all of device.hpp, each right as it stands and wrong in one way or another with a fault seeded. nvcc compiles them too.
#pragma once

#include "cuda/device.hpp"

namespace holdfast::testing {

using namespace device;

enum class Fault {
    NONE,
    MISSING_BARRIER,  // before other threads' shared memory is read
    MISSING_WAIT,     // for a copy
    MISSING_RELEASE,  // a buffer is filled again while others may still read it
    TOO_MANY_BYTES,   // are expected of a bulk copy
    TOO_FEW_BYTES,
    EARLY_EXIT,  // while others read the shared memory
};

/// The sum over the lanes of a warp, in every lane.
template <typename T>
HF_DEVICE T warp_sum(T value) {
    for (int lanes = WARP_SIZE / 2; lanes > 0; lanes /= 2) {
        value += shuffle_xor(value, lanes);
    }
    return value;
}

/// The sum over the threads of a block of whole warps, in the first warp.
template <Fault fault>
HF_DEVICE double block_sum(double value, double *warp_sums) {
    value = warp_sum(value);
    if (lane_index() == 0) {
        warp_sums[warp_index()] = value;
    }
    if constexpr (fault != Fault::MISSING_BARRIER) {
        sync_block();
    }
    return warp_index() == 0 ? warp_sum(lane_index() < block_size() / WARP_SIZE ? warp_sums[lane_index()] : 0.0) : 0.0;
}

struct SumShared {
    double warp_sums[WARP_SIZE];
    double sum;
};

/// sums[block] = sum of `count` values [block, :], by blocks of whole warps.
template <Fault fault>
HF_KERNEL(1024)
void sum_rows(const float *values, int64_t count, double *sums) {
    auto *shared = reinterpret_cast<SumShared *>(shared_memory());
    double sum = 0;
    for (int64_t i = thread_index(); i < count; i += block_size()) {
        sum += static_cast<double>(load_streaming(values + block_index() * count + i));
    }
    sum = block_sum<fault>(sum, shared->warp_sums);
    if (thread_index() == 0) {
        store_cached(sums + block_index(), sum);
    }
}

/// sums[cluster] = sum of `count` values [cluster, :], each block taking its share; the first block reads what the others found.
template <Fault fault>
HF_KERNEL(1024)
void sum_rows_by_cluster(const float *values, int64_t count, double *sums) {
    auto *shared = reinterpret_cast<SumShared *>(shared_memory());
    const int64_t cluster = block_index() / cluster_size();
    double sum = 0;
    for (int64_t i = thread_index() + static_cast<int64_t>(cluster_rank()) * block_size(); i < count; i += block_size() * cluster_size()) {
        sum += static_cast<double>(load_cached(values + cluster * count + i));
    }
    sum = block_sum<Fault::NONE>(sum, shared->warp_sums);
    if (thread_index() == 0) {
        shared->sum = sum;
    }
    if constexpr (fault != Fault::MISSING_BARRIER) {
        sync_cluster();
    }
    if (cluster_rank() == 0 && thread_index() == 0) {
        double total = 0;
        for (int rank = 0; rank < cluster_size(); ++rank) {
            total += *peer_shared(&shared->sum, rank);
        }
        store_cached(sums + cluster, total);
    }
    if constexpr (fault != Fault::EARLY_EXIT) {
        arrive_cluster();
        wait_cluster();
    }
}

/// mirrored[block, chunk, thread] = values[block, chunk, last - thread], units of 4, 8 or 16 bytes, two chunks in flight.
template <typename Unit, Fault fault>
HF_KERNEL(1024)
void mirror_chunks(const Unit *values, Unit *mirrored, int chunks) {
    constexpr int STAGES = 2;
    auto *stages = reinterpret_cast<Unit *>(shared_memory());
    const int64_t row = block_index() * chunks * block_size();
    const auto start = [&](int chunk) {
        if (chunk < chunks) {
            async_copy<sizeof(Unit)>(stages + chunk % STAGES * block_size() + thread_index(),
                                     values + row + chunk * block_size() + thread_index());
        }
        async_commit();
    };
    start(0);
    start(1);
    for (int chunk = 0; chunk < chunks; ++chunk) {
        async_wait<fault == Fault::MISSING_WAIT ? STAGES : STAGES - 1>();
        if constexpr (fault != Fault::MISSING_BARRIER) {
            sync_block();
        }
        const Unit value = stages[chunk % STAGES * block_size() + block_size() - 1 - thread_index()];
        store_streaming(mirrored + row + chunk * block_size() + thread_index(), value);
        if constexpr (fault != Fault::MISSING_RELEASE) {
            sync_block();
        }
        start(chunk + STAGES);
    }
    async_wait<0>();
}

/// One stage of the ring, followed by as many floats as a block has threads.
struct RingShared {
    static constexpr int STAGES = 2;
    TransactionBarrier full[STAGES];

    HF_DEVICE float *stage(int number) { return reinterpret_cast<float *>(this + 1) + number * block_size(); }
};

/// values[block, chunk, :] doubled in place, brought and taken by bulk copies; 4 threads at least.
template <Fault fault>
HF_KERNEL(1024)
void double_chunks(float *values, int chunks) {
    auto *ring = reinterpret_cast<RingShared *>(shared_memory());
    const int bytes = block_size() * static_cast<int>(sizeof(float));
    float *const row = values + block_index() * chunks * block_size();
    const auto fetch = [&](int chunk) {
        const int stage = chunk % RingShared::STAGES;
        barrier_expect(&ring->full[stage], fault == Fault::TOO_MANY_BYTES  ? bytes + 16
                                           : fault == Fault::TOO_FEW_BYTES ? bytes - 16
                                                                           : bytes);
        bulk_load(ring->stage(stage), row + chunk * block_size(), bytes, &ring->full[stage]);
    };
    if (thread_index() == 0) {
        for (TransactionBarrier &barrier : ring->full) {
            barrier_init(&barrier, 1);
        }
        fence_async();
    }
    sync_block();
    if (thread_index() == 0) {
        fetch(0);
    }
    for (int chunk = 0; chunk < chunks; ++chunk) {
        const int stage = chunk % RingShared::STAGES;
        if (thread_index() == 0 && chunk + 1 < chunks) {
            // The next stage's results must have left before it is filled again.
            bulk_wait_read<fault == Fault::MISSING_RELEASE ? RingShared::STAGES : 0>();
            fetch(chunk + 1);
        }
        if constexpr (fault != Fault::MISSING_WAIT) {
            barrier_wait(&ring->full[stage], chunk / RingShared::STAGES % 2);
        }
        ring->stage(stage)[thread_index()] *= 2;
        fence_async();
        if constexpr (fault != Fault::MISSING_BARRIER) {
            sync_block();
        }
        if (thread_index() == 0) {
            bulk_store(row + chunk * block_size(), ring->stage(stage), bytes);
            bulk_commit();
        }
    }
    if (thread_index() == 0) {
        bulk_wait_read<0>();
    }
}

/// votes[thread] = the even lanes of the thread's half of the warp; sums[thread] = sum of the lane numbers there.
HF_KERNEL(1024) void vote_by_halves(uint32_t *votes, uint32_t *sums) {
    constexpr uint32_t LOW_HALF = 0xffff;
    const uint32_t half = lane_index() < WARP_SIZE / 2 ? LOW_HALF : ~LOW_HALF;
    const uint32_t even = vote(lane_index() % 2 == 0, half);
    auto sum = static_cast<uint32_t>(lane_index());
    for (int lanes = WARP_SIZE / 4; lanes > 0; lanes /= 2) {
        sum += shuffle_xor(sum, lanes, half);
    }
    store_cached(votes + thread_index(), even);
    store_cached(sums + thread_index(), shuffle(sum, lane_index() & WARP_SIZE / 2, half));
}

/// counts[value] += 1 and *total += value, for values below 256.
HF_KERNEL(1024) void count_values(const uint8_t *values, uint32_t *counts, float *total) {
    const uint8_t value = load_cached(values + block_index() * block_size() + thread_index());
    atomic_add(counts + value, 1u);
    atomic_add(total, static_cast<float>(value));
}

/// Each lane hands its value to the next through shared memory, warp by warp.
template <Fault fault>
HF_KERNEL(1024)
void rotate_lanes(const uint16_t *values, uint16_t *rotated) {
    auto *shared = reinterpret_cast<uint16_t *>(shared_memory());
    shared[thread_index()] = load_cached(values + thread_index());
    if constexpr (fault != Fault::MISSING_BARRIER) {
        sync_warp();
    }
    const int source = warp_index() * WARP_SIZE + (lane_index() + 1) % WARP_SIZE;
    store_cached(rotated + thread_index(), shared[source]);
}

/// results[thread, :] = what the arithmetic functions make of a pair of floats.
struct Arithmetic {
    float exp2, log2, max, min;
    uint32_t bfloat16, float16, max_bfloat16, min_bfloat16, max_float16, min_float16, unused[2];
    Float2 from_bfloat16, from_float16;
};

HF_KERNEL(1024) void compute(const Float2 *inputs, Arithmetic *results) {
    const Float2 input = load_cached(inputs + thread_index());
    Arithmetic result{};
    result.exp2 = fast_exp2(input.x);
    result.log2 = fast_log2(input.y);
    result.max = max_or_nan(input.x, input.y);
    result.min = min_or_nan(input.x, input.y);
    const Float2 swapped = {input.y, input.x};
    result.bfloat16 = narrow_bfloat16(input);
    result.max_bfloat16 = max_or_nan_bfloat16(result.bfloat16, narrow_bfloat16(swapped));
    result.min_bfloat16 = min_or_nan_bfloat16(result.bfloat16, narrow_bfloat16(swapped));
    result.from_bfloat16 = widen_bfloat16(result.bfloat16);
    result.float16 = narrow_float16(input);
    result.max_float16 = max_or_nan_float16(result.float16, narrow_float16(swapped));
    result.min_float16 = min_or_nan_float16(result.float16, narrow_float16(swapped));
    result.from_float16 = widen_float16(result.float16);
    const auto *units = reinterpret_cast<const Bytes16 *>(&result);
    for (size_t i = 0; i < sizeof result / sizeof(Bytes16); ++i) {
        store_streaming(reinterpret_cast<Bytes16 *>(results + thread_index()) + i, units[i]);
    }
}

}  // namespace holdfast::testing
