// Memory and clock of the emulated device: the host's.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cuda/device.hpp"
#include "cuda/runtime.hpp"

namespace holdfast::cuda {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

const char *runtime_name() { return "emulated CUDA"; }

CudaResult current_device(hf_cuda_device &found) {
    device::DeviceProperties properties;
    device::query(&properties);
    std::snprintf(found.name, sizeof found.name, "emulated CUDA device");
    found.compute_capability = properties.architecture;
    found.multiprocessor_count = properties.multiprocessors;
    found.memory_bytes = int64_t{1} << 30;  // benchmarks size their buffers by these
    found.cache_bytes = int64_t{1} << 20;
    return {};
}

CudaResult allocate(size_t bytes, void **memory) {
    constexpr size_t ALIGNMENT = 256;
    *memory = std::aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    CudaResult result;
    if (*memory == nullptr) {
        result.status = HF_OUT_OF_MEMORY;
        std::snprintf(result.message, sizeof result.message, "allocate: the host has no memory of %zu bytes", bytes);
    }
    return result;
}

CudaResult free(void *memory) {
    std::free(memory);
    return {};
}

CudaResult copy(void *target, const void *source, size_t bytes, void *) {
    std::memcpy(target, source, bytes);
    return {};
}

CudaResult synchronize(void *) { return {}; }

CudaResult start_timer(void *, void **timer) {
    *timer = new Clock::time_point(Clock::now());
    return {};
}

CudaResult stop_timer(void *timer, void *, float *milliseconds) {
    const Clock::time_point *begin = static_cast<Clock::time_point *>(timer);
    *milliseconds = std::chrono::duration<float, std::milli>(Clock::now() - *begin).count();
    delete begin;
    return {};
}

}  // namespace holdfast::cuda
