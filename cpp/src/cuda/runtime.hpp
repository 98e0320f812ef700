// The little of CUDA's runtime that the table offers beside kernels. cuda.h says what the functions do.
#pragma once

#include "cuda/backend.hpp"

namespace holdfast::cuda {

/// What the library was built with, for example "CUDA 13.1".
const char *runtime_name();

CudaResult current_device(hf_cuda_device &);
CudaResult allocate(size_t bytes, void **memory);
CudaResult free(void *memory);
CudaResult copy(void *target, const void *source, size_t bytes, void *stream);
CudaResult synchronize(void *stream);
CudaResult start_timer(void *stream, void **timer);
CudaResult stop_timer(void *timer, void *stream, float *milliseconds);

}  // namespace holdfast::cuda
