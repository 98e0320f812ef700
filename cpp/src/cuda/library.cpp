#include "cuda/library.hpp"

#include "core/check.hpp"
#include "core/opened_library.hpp"

namespace holdfast {
namespace {

const char *read(void *handle, CudaBackend &backend) {
    decltype(hf_cuda_backend) *table = nullptr;
    find_function(handle, "hf_cuda_backend", table);
    if (table == nullptr) {
        return "it lacks hf_cuda_backend";
    }
    const CudaBackend &found = *table();
    if (found.version != HF_VERSION) {
        return "it is of another version; build both libraries from the same sources";
    }
    backend = found;
    return nullptr;
}

OpenedLibrary<CudaBackend> opened("Holdfast's CUDA kernels (libholdfast_cuda.so)", read);

}  // namespace

hf_status find_cuda_backend(const CudaBackend *&backend) {
    backend = opened.get();
    if (backend != nullptr) {
        return HF_OK;
    }
    return fail(HF_UNSUPPORTED,
                "backend: expected the reference (0) or the CPU (1), got CUDA (2), whose kernels are not open; open libholdfast_cuda.so "
                "with hf_open_cuda_library first");
}

hf_status status_of(const CudaResult &result) { return result.status == HF_OK ? HF_OK : fail(result.status, "%s", result.message); }

}  // namespace holdfast

using namespace holdfast;

extern "C" hf_status hf_open_cuda_library(const char *path) { return opened.open(path); }

extern "C" const char *hf_cuda_library(void) {
    const CudaBackend *backend = opened.get();
    return backend == nullptr ? nullptr : backend->name;
}

extern "C" hf_status hf_cuda_current_device(hf_cuda_device *device) {
    HF_CHECK(check_struct("device", device));
    return call_cuda(&CudaBackend::current_device, *device);
}

extern "C" hf_status hf_cuda_allocate(size_t bytes, void **memory) {
    HF_CHECK(check_array("memory", memory, 1, sizeof(void *)));
    *memory = nullptr;
    return bytes == 0 ? HF_OK : call_cuda(&CudaBackend::allocate, bytes, memory);
}

extern "C" hf_status hf_cuda_free(void *memory) { return memory == nullptr ? HF_OK : call_cuda(&CudaBackend::free, memory); }

extern "C" hf_status hf_cuda_copy(void *target, const void *source, size_t bytes, void *stream) {
    HF_CHECK(check_array("target", target, bytes == 0 ? 0 : 1, 1));
    HF_CHECK(check_array("source", source, bytes == 0 ? 0 : 1, 1));
    return bytes == 0 ? HF_OK : call_cuda(&CudaBackend::copy, target, source, bytes, stream);
}

extern "C" hf_status hf_cuda_synchronize(void *stream) { return call_cuda(&CudaBackend::synchronize, stream); }

extern "C" hf_status hf_cuda_start_timer(void *stream, void **timer) {
    HF_CHECK(check_array("timer", timer, 1, sizeof(void *)));
    return call_cuda(&CudaBackend::start_timer, stream, timer);
}

extern "C" hf_status hf_cuda_stop_timer(void *timer, void *stream, float *milliseconds) {
    HF_CHECK(check_array("timer", timer, 1, 1));
    HF_CHECK(check_array("milliseconds", milliseconds, 1, sizeof(float)));
    return call_cuda(&CudaBackend::stop_timer, timer, stream, milliseconds);
}
