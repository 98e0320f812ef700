#include <cuda_runtime.h>

#include <cstdio>

#include "cuda/device.hpp"
#include "cuda/runtime.hpp"

namespace holdfast::cuda {
namespace {

/// Also takes the error out of the runtime, where the caller's next check would find it.
CudaResult result_of(const char *where, cudaError_t error) {
    CudaResult result;
    const device::Outcome outcome = device::outcome_of(error);
    result.status = outcome.status;
    if (outcome.status != HF_OK) {
        std::snprintf(result.message, sizeof result.message, "%s: %s", where, outcome.message);
    }
    return result;
}

/// Two events, the first of which was recorded.
struct Timer {
    cudaEvent_t begin = nullptr;
    cudaEvent_t end = nullptr;

    Timer() = default;
    Timer(const Timer &) = delete;
    Timer &operator=(const Timer &) = delete;
    ~Timer() {
        if (begin != nullptr) {
            cudaEventDestroy(begin);
        }
        if (end != nullptr) {
            cudaEventDestroy(end);
        }
    }
};

}  // namespace

const char *runtime_name() {
    static_assert(CUDART_VERSION % 10 == 0, "runtime_name: expected a version of the form 1000 major + 10 minor");
    static const struct Name {
        char text[32];
        Name() { std::snprintf(text, sizeof text, "CUDA %d.%d", CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10); }
    } name;
    return name.text;
}

CudaResult current_device(hf_cuda_device &found) {
    int device = 0;
    cudaDeviceProp properties{};
    cudaError_t error = cudaGetDevice(&device);
    error = error == cudaSuccess ? cudaGetDeviceProperties(&properties, device) : error;
    if (error == cudaSuccess) {
        std::snprintf(found.name, sizeof found.name, "%s", properties.name);
        found.compute_capability = 10 * properties.major + properties.minor;
        found.multiprocessor_count = properties.multiProcessorCount;
        found.memory_bytes = static_cast<int64_t>(properties.totalGlobalMem);
        found.cache_bytes = properties.l2CacheSize;
    }
    return result_of("current device", error);
}

CudaResult allocate(size_t bytes, void **memory) { return result_of("allocate", cudaMalloc(memory, bytes)); }

CudaResult free(void *memory) { return result_of("free", cudaFree(memory)); }

CudaResult copy(void *target, const void *source, size_t bytes, void *stream) {
    const cudaStream_t queue = static_cast<cudaStream_t>(stream);
    const cudaError_t error = cudaMemcpyAsync(target, source, bytes, cudaMemcpyDefault, queue);
    return result_of("copy", error == cudaSuccess ? cudaStreamSynchronize(queue) : error);
}

CudaResult synchronize(void *stream) { return result_of("synchronize", cudaStreamSynchronize(static_cast<cudaStream_t>(stream))); }

CudaResult start_timer(void *stream, void **timer) {
    Timer *started = new Timer;
    cudaError_t error = cudaEventCreate(&started->begin);
    error = error == cudaSuccess ? cudaEventCreate(&started->end) : error;
    error = error == cudaSuccess ? cudaEventRecord(started->begin, static_cast<cudaStream_t>(stream)) : error;
    if (error == cudaSuccess) {
        *timer = started;
    } else {
        delete started;
    }
    return result_of("start timer", error);
}

CudaResult stop_timer(void *timer, void *stream, float *milliseconds) {
    Timer *started = static_cast<Timer *>(timer);
    cudaError_t error = cudaEventRecord(started->end, static_cast<cudaStream_t>(stream));
    error = error == cudaSuccess ? cudaEventSynchronize(started->end) : error;
    error = error == cudaSuccess ? cudaEventElapsedTime(milliseconds, started->begin, started->end) : error;
    delete started;
    return result_of("stop timer", error);
}

}  // namespace holdfast::cuda
