/*
 * The CUDA half of the library, and the few things of a device that its tests and benchmarks need.
 * The conventions are those of holdfast.h.
 */
#ifndef HOLDFAST_CUDA_H
#define HOLDFAST_CUDA_H

#include "holdfast/holdfast.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Opens libholdfast_cuda.so, whose kernels HF_BACKEND_CUDA runs. It stays open for the life of the process; a second call with another
 * file is refused. HF_UNSUPPORTED if it cannot be loaded (CUDA's runtime may be missing) or is of another version. Needs no device.
 */
HF_EXPORT hf_status hf_open_cuda_library(const char *path);

/* The open library, for example "CUDA 13.1"; NULL if none is. Valid for the life of the process. */
HF_EXPORT const char *hf_cuda_library(void);

typedef struct hf_cuda_device {
    size_t struct_size;
    char name[256];             /* as the driver has it */
    int32_t compute_capability; /* 10 * major + minor: 90 for sm_90 */
    int32_t multiprocessor_count;
    int64_t memory_bytes; /* in all */
    int64_t cache_bytes;  /* of the cache that all multiprocessors share (L2) */
} hf_cuda_device;

/* The device that is current for the calling thread. HF_UNSUPPORTED if no library is open, or there is no device or no driver. */
HF_EXPORT hf_status hf_cuda_current_device(hf_cuda_device *device);

/* ---- Memory and time of the current device, for tests, benchmarks and occasional use; trainers have allocators of their own. ---- */

/* Memory aligned to 256 bytes, to be given to hf_cuda_free; zero bytes are NULL. HF_OUT_OF_MEMORY if there is not as much. */
HF_EXPORT hf_status hf_cuda_allocate(size_t bytes, void **memory);
HF_EXPORT hf_status hf_cuda_free(void *memory);

/* Copies between host and device or within either, after the work on the stream, and returns when it is done. */
HF_EXPORT hf_status hf_cuda_copy(void *target, const void *source, size_t bytes, void *stream);

/* Returns when the work on the stream is done; the failure of a kernel shows here. */
HF_EXPORT hf_status hf_cuda_synchronize(void *stream);

/* A clock of the device: what hf_cuda_start_timer gives is to be ended by hf_cuda_stop_timer, which waits for the work in between. */
HF_EXPORT hf_status hf_cuda_start_timer(void *stream, void **timer);
HF_EXPORT hf_status hf_cuda_stop_timer(void *timer, void *stream, float *milliseconds);

#ifdef __cplusplus
}
#endif

#endif
