// The table through which the library reaches its CUDA half, libholdfast_cuda.so. That half is a file of its own, opened when it is first
// wanted, so that users of the CPU need no CUDA; the tests open one that runs the same kernels on an emulated device.
#pragma once

#include <cstddef>
#include <cstdint>

#include "loss/anchor_loss.hpp"

namespace holdfast {

/// The outcome of a call. The message comes by value: neither exceptions nor the thread's last error cross between the two files.
struct CudaResult {
    hf_status status = HF_OK;
    char message[248] = {};  // empty for HF_OK
};

struct CudaBackend {
    int32_t version;  // HF_VERSION of the build; another one is refused

    /// Bytes of device memory that anchor_loss wants for such arguments.
    size_t (*anchor_loss_workspace_bytes)(const AnchorLoss &);

    /// Enqueues the loss on the stream and returns at once. All pointers of `loss` point into device memory; its structs were checked, but
    /// not the values that lie there.
    CudaResult (*anchor_loss)(const AnchorLoss &, void *workspace, size_t workspace_bytes, void *stream);
};

/// The only symbol that the CUDA half exports; never NULL.
extern "C" const CudaBackend *hf_cuda_backend();

}  // namespace holdfast
