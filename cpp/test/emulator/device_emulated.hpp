// The bodies of device.hpp for the emulator. What touches a kernel's memory is inline, so that ThreadSanitizer sees it as the kernel's.
#pragma once

#include <cmath>
#include <functional>
#include <tuple>
#include <utility>

#include "cuda/device_interface.hpp"
#include "emulator/device_calls.hpp"
#include "simd/element.hpp"

namespace holdfast::device {

HF_DEVICE int thread_index() { return emulator::thread_index(); }
HF_DEVICE int block_size() { return emulator::block_size(); }
HF_DEVICE int lane_index() { return thread_index() % WARP_SIZE; }
HF_DEVICE int warp_index() { return thread_index() / WARP_SIZE; }
HF_DEVICE int64_t block_index() { return emulator::block_index(); }
HF_DEVICE int64_t grid_size() { return emulator::grid_size(); }
HF_DEVICE int cluster_rank() { return emulator::cluster_rank(); }
HF_DEVICE int cluster_size() { return emulator::cluster_size(); }
HF_DEVICE unsigned char *shared_memory() { return emulator::shared_memory(); }

HF_DEVICE void sync_block(Site site) { emulator::sync_block(site); }
HF_DEVICE void sync_warp(uint32_t mask, Site site) { emulator::sync_warp(mask, site); }
HF_DEVICE void arrive_cluster(Site site) { emulator::arrive_cluster("arrive_cluster", site); }
HF_DEVICE void wait_cluster(Site site) { emulator::wait_cluster("wait_cluster", site); }

HF_DEVICE void sync_cluster(Site site) {
    emulator::arrive_cluster("sync_cluster", site);
    emulator::wait_cluster("sync_cluster", site);
}

template <typename T>
HF_DEVICE T *peer_shared(T *own, int rank, Site site) {
    return static_cast<T *>(emulator::peer_shared(own, sizeof(T), rank, site));
}

template <typename T>
HF_DEVICE T shuffle_from(const char *function, T value, int lane, uint32_t mask, Site site) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffle: expected a type of 4 or 8 bytes");
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    bits = emulator::shuffle(function, bits, lane, mask, site);
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

template <typename T>
HF_DEVICE T shuffle_xor(T value, int lanes, uint32_t mask, Site site) {
    return shuffle_from("shuffle_xor", value, lane_index() ^ lanes, mask, site);
}

template <typename T>
HF_DEVICE T shuffle(T value, int lane, uint32_t mask, Site site) {
    return shuffle_from("shuffle", value, lane, mask, site);
}

HF_DEVICE uint32_t vote(bool predicate, uint32_t mask, Site site) { return emulator::vote(predicate, mask, site); }

template <typename T>
HF_DEVICE T load_cached(const T *source, Site site) {
    emulator::count(emulator::Access::CACHED_LOAD, source, sizeof(T), "load_cached", site);
    return *source;
}

template <typename T>
HF_DEVICE T load_streaming(const T *source, Site site) {
    emulator::count(emulator::Access::STREAMING_LOAD, source, sizeof(T), "load_streaming", site);
    return *source;
}

template <typename T>
HF_DEVICE void store_cached(T *target, T value, Site site) {
    emulator::count(emulator::Access::CACHED_STORE, target, sizeof(T), "store_cached", site);
    *target = value;
}

template <typename T>
HF_DEVICE void store_streaming(T *target, T value, Site site) {
    emulator::count(emulator::Access::STREAMING_STORE, target, sizeof(T), "store_streaming", site);
    *target = value;
}

/// One instruction of the processor orders nothing else and is no race, as on a device.
template <typename T>
HF_DEVICE T atomic_add(T *target, T value, Site site) {
    emulator::count(emulator::Access::ATOMIC, target, sizeof(T), "atomic_add", site);
    T before, after;
    __atomic_load(target, &before, __ATOMIC_RELAXED);
    do {
        after = before + value;
    } while (!__atomic_compare_exchange(target, &before, &after, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return before;
}

template <int bytes>
HF_DEVICE void async_copy(void *shared_target, const void *source, Site site) {
    static_assert(bytes == 4 || bytes == 8 || bytes == 16, "async_copy: expected 4, 8 or 16 bytes");
    emulator::async_copy(shared_target, source, bytes, site);
}

HF_DEVICE void async_commit(Site) { emulator::async_commit(); }

template <int pending>
HF_DEVICE void async_wait(Site) {
    emulator::async_wait(pending);
}

/// The emulator keeps the state elsewhere; the write here and the reads below show ThreadSanitizer a missing barrier after this call.
HF_DEVICE void barrier_init(TransactionBarrier *barrier, int arrivals, Site site) {
    emulator::barrier_init(barrier, arrivals, site);
    barrier->state = 0;
}

HF_DEVICE void fence_async(Site) {}

HF_DEVICE void require_made(const TransactionBarrier *barrier) {
    static_cast<void>(*const_cast<const volatile uint64_t *>(&barrier->state));
}

HF_DEVICE void barrier_expect(TransactionBarrier *barrier, int bytes, Site site) {
    emulator::barrier_expect(barrier, bytes, site);
    require_made(barrier);
}

HF_DEVICE void barrier_arrive(TransactionBarrier *barrier, Site site) {
    emulator::barrier_arrive(barrier, site);
    require_made(barrier);
}

HF_DEVICE void barrier_wait(TransactionBarrier *barrier, int parity, Site site) {
    require_made(barrier);
    emulator::barrier_wait(barrier, parity, site);
}

HF_DEVICE void bulk_load(void *shared_target, const void *source, int bytes, TransactionBarrier *barrier, Site site) {
    emulator::bulk_load(shared_target, source, bytes, barrier, site);
}

HF_DEVICE void bulk_store(void *target, const void *shared_source, int bytes, Site site) {
    emulator::bulk_store(target, shared_source, bytes, site);
}

HF_DEVICE void bulk_commit(Site) { emulator::bulk_commit(); }

template <int pending>
HF_DEVICE void bulk_wait_read(Site) {
    emulator::bulk_wait_read(pending);
}

HF_DEVICE float fast_exp2(float x) { return std::exp2(x); }
HF_DEVICE float fast_log2(float x) { return std::log2(x); }

HF_DEVICE uint32_t pair_of(uint16_t low, uint16_t high) { return low | static_cast<uint32_t>(high) << 16; }
HF_DEVICE uint16_t low_of(uint32_t pair) { return static_cast<uint16_t>(pair); }
HF_DEVICE uint16_t high_of(uint32_t pair) { return static_cast<uint16_t>(pair >> 16); }

HF_DEVICE Float2 widen_bfloat16(uint32_t pair) { return {bfloat_to_float(low_of(pair)), bfloat_to_float(high_of(pair))}; }
HF_DEVICE Float2 widen_float16(uint32_t pair) { return {half_to_float(low_of(pair)), half_to_float(high_of(pair))}; }
HF_DEVICE uint32_t narrow_bfloat16(Float2 values) { return pair_of(float_to_bfloat(values.x), float_to_bfloat(values.y)); }
HF_DEVICE uint32_t narrow_float16(Float2 values) { return pair_of(float_to_half(values.x), float_to_half(values.y)); }

HF_DEVICE float max_or_nan(float a, float b) { return std::isnan(a) || a > b ? a : b; }
HF_DEVICE float min_or_nan(float a, float b) { return std::isnan(a) || a < b ? a : b; }
HF_DEVICE Float2 max_or_nan(Float2 a, Float2 b) { return {max_or_nan(a.x, b.x), max_or_nan(a.y, b.y)}; }
HF_DEVICE Float2 min_or_nan(Float2 a, Float2 b) { return {min_or_nan(a.x, b.x), min_or_nan(a.y, b.y)}; }

HF_DEVICE uint32_t max_or_nan_bfloat16(uint32_t a, uint32_t b) { return narrow_bfloat16(max_or_nan(widen_bfloat16(a), widen_bfloat16(b))); }
HF_DEVICE uint32_t min_or_nan_bfloat16(uint32_t a, uint32_t b) { return narrow_bfloat16(min_or_nan(widen_bfloat16(a), widen_bfloat16(b))); }
HF_DEVICE uint32_t max_or_nan_float16(uint32_t a, uint32_t b) { return narrow_float16(max_or_nan(widen_float16(a), widen_float16(b))); }
HF_DEVICE uint32_t min_or_nan_float16(uint32_t a, uint32_t b) { return narrow_float16(min_or_nan(widen_float16(a), widen_float16(b))); }

inline Outcome query(DeviceProperties *properties) {
    *properties = emulator::properties();
    return {};
}

template <typename... Parameters, typename... Arguments>
Outcome launch(void (*kernel)(Parameters...), const LaunchShape &shape, void *, Arguments &&...arguments) {
    const std::tuple<Parameters...> values(std::forward<Arguments>(arguments)...);
    return emulator::run(shape, [&] { std::apply(kernel, values); });
}

}  // namespace holdfast::device
