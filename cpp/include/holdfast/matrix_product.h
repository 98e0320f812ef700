/*
 * The library that the operators MatrixProduct and AccumulateMatrixProduct multiply with. The conventions are those of holdfast.h.
 */
#ifndef HOLDFAST_MATRIX_PRODUCT_H
#define HOLDFAST_MATRIX_PRODUCT_H

#include "holdfast/holdfast.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Opens oneDNN 3 (libdnnl.so.3), built without threads or with OpenMP's. It stays open for the life of the process; a second call with
 * another library is refused. HF_UNSUPPORTED if it cannot be loaded or is another.
 */
HF_EXPORT hf_status hf_open_matrix_library(const char *path);

/* The open library, for example "oneDNN 3.11.0"; NULL if none is. Valid for the life of the process. */
HF_EXPORT const char *hf_matrix_library(void);

/*
 * Whether operands of this element type can be multiplied: HF_FLOAT if the library is open, HF_BFLOAT16 if it has such a product as well
 * and the processor AVX512_BF16 or AMX.
 */
HF_EXPORT int32_t hf_multiplies(int32_t element_type);

#ifdef __cplusplus
}
#endif

#endif
