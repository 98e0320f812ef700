// The CUDA half of the library, if it is open.
#pragma once

#include "cuda/backend.hpp"

namespace holdfast {

/// The open half's table; HF_UNSUPPORTED with a message that says what to do if none is open.
hf_status find_cuda_backend(const CudaBackend *&backend);

/// Keeps the message of a failure for hf_last_error().
hf_status status_of(const CudaResult &result);

/// Calls one function of the open half's table.
template <class... Parameters, class... Arguments>
hf_status call_cuda(CudaResult (*CudaBackend::*function)(Parameters...), Arguments &&...arguments) {
    const CudaBackend *backend = nullptr;
    const hf_status found = find_cuda_backend(backend);
    return found != HF_OK ? found : status_of((backend->*function)(arguments...));
}

}  // namespace holdfast
