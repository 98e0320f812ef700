// The bodies of device.hpp for the emulator that must be inline: templates, whose accesses ThreadSanitizer then takes for the kernel's.
#pragma once

#include <functional>
#include <tuple>
#include <utility>

#include "cuda/device_interface.hpp"
#include "emulator/emulator.hpp"

namespace holdfast::emulator {

using device::Site;

// What the templates have in common.
void *peer_shared(void *own, int64_t bytes, int rank, Site site);
uint64_t shuffle(const char *function, uint64_t value, int lane, uint32_t mask, Site site);
void count(Access access, const void *address, int64_t bytes, const char *function, Site site);
void async_copy(void *target, const void *source, int bytes, Site site);
void async_wait(int pending);
void bulk_wait_read(int pending);

/// Refuses shapes that the device would refuse, else runs the function once per thread.
device::Outcome run(const device::LaunchShape &shape, const std::function<void()> &kernel);

template <typename T>
T shuffle_value(const char *function, T value, int lane, uint32_t mask, Site site) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffle: expected a type of 4 or 8 bytes");
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    bits = shuffle(function, bits, lane, mask, site);
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

}  // namespace holdfast::emulator

namespace holdfast::device {

template <typename T>
HF_DEVICE T *peer_shared(T *own, int rank, Site site) {
    return static_cast<T *>(emulator::peer_shared(own, sizeof(T), rank, site));
}

template <typename T>
HF_DEVICE T shuffle_xor(T value, int lanes, uint32_t mask, Site site) {
    return emulator::shuffle_value("shuffle_xor", value, lane_index() ^ lanes, mask, site);
}

template <typename T>
HF_DEVICE T shuffle(T value, int lane, uint32_t mask, Site site) {
    return emulator::shuffle_value("shuffle", value, lane, mask, site);
}

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

template <int pending>
HF_DEVICE void async_wait(Site) {
    emulator::async_wait(pending);
}

template <int pending>
HF_DEVICE void bulk_wait_read(Site) {
    emulator::bulk_wait_read(pending);
}

template <typename... Parameters, typename... Arguments>
Outcome launch(void (*kernel)(Parameters...), const LaunchShape &shape, void *, Arguments &&...arguments) {
    const std::tuple<Parameters...> values(std::forward<Arguments>(arguments)...);
    return emulator::run(shape, [&] { std::apply(kernel, values); });
}

}  // namespace holdfast::device
