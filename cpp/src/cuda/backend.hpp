// The table through which the library reaches its CUDA half, libholdfast_cuda.so. That half is a file of its own, opened when it is first
// wanted, so that users of the CPU need no CUDA; the tests open one that runs the same kernels on an emulated device.
#pragma once

#include <cstddef>
#include <cstdint>

#include "holdfast/cuda.h"
#include "loss/anchor_loss.hpp"

namespace holdfast {

/// The outcome of a call. The message comes by value: neither exceptions nor the thread's last error cross between the two files.
struct CudaResult {
    hf_status status = HF_OK;
    char message[248] = {};  // empty for HF_OK
};

/// Every function works on the device that is current for the calling thread. Arguments were checked on the other side.
struct CudaBackend {
    int32_t version;   // HF_VERSION of the build; another one is refused
    const char *name;  // of the build, for example "CUDA 13.1"

    /// Bytes of device memory that anchor_loss wants for so many tokens and such sides; reads nothing else of it.
    size_t (*anchor_loss_workspace_bytes)(const AnchorLoss &);

    /// Enqueues the loss on the stream and returns at once. All pointers of `loss` point into device memory; its structs were checked, but
    /// not the values that lie there. The workspace is aligned to 16 bytes and large enough.
    CudaResult (*anchor_loss)(const AnchorLoss &, void *workspace, size_t workspace_bytes, void *stream);

    /// Enqueues *sum = sum of weights[i] * token_loss[i] over the tokens that take part, summed in double in an order of its own. All in
    /// device memory.
    CudaResult (*anchor_loss_sum)(int64_t token_count, const hf_anchor_loss_tokens &, const float *token_loss, float *sum, void *stream);

    // What cuda.h says of the functions of these names.
    CudaResult (*current_device)(hf_cuda_device &);
    CudaResult (*allocate)(size_t bytes, void **memory);
    CudaResult (*free)(void *memory);
    CudaResult (*copy)(void *target, const void *source, size_t bytes, void *stream);
    CudaResult (*synchronize)(void *stream);
    CudaResult (*start_timer)(void *stream, void **timer);
    CudaResult (*stop_timer)(void *timer, void *stream, float *milliseconds);
};

/// The only symbol that the CUDA half exports; never NULL.
extern "C" const CudaBackend *hf_cuda_backend();

}  // namespace holdfast
