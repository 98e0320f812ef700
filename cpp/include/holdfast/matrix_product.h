/*
 * Matrix products of floats, computed by oneDNN on the CPU. The conventions are those of holdfast.h.
 */
#ifndef HOLDFAST_MATRIX_PRODUCT_H
#define HOLDFAST_MATRIX_PRODUCT_H

#include "holdfast/holdfast.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Opens the library that HF_BACKEND_CPU computes products with: oneDNN 3 (libdnnl.so.3), sequential or built with OpenMP. It stays open
 * for the life of the process; a second call with another library is refused. HF_UNSUPPORTED if it cannot be loaded.
 */
HF_EXPORT hf_status hf_open_matrix_library(const char *path);

/* The open library, for example "oneDNN 3.11.0"; NULL if none is. Valid for the life of the process. */
HF_EXPORT const char *hf_matrix_library(void);

/*
 * Whether HF_BACKEND_CPU multiplies operands of this element type (HF_FLOAT or HF_BFLOAT16) with the processor's own instructions:
 * HF_BFLOAT16 takes a library that is open and AVX512_BF16 or AMX.
 */
HF_EXPORT int32_t hf_multiplies(int32_t element_type);

/*
 * c <- alpha op(a) op(b) + beta c, or + bias in every row; op transposes where it is asked to.
 * With m, n, k the sizes of the product, a is stored as [m, k] (transposed: [k, m]), b as [k, n] (transposed: [n, k]), c as [m, n],
 * row by row. c must not overlap the others. beta = 0 or a bias: c is only written.
 */
typedef struct hf_matrix_product {
    size_t struct_size;
    int64_t m, n, k;
    int32_t transpose_a, transpose_b; /* 0 or 1 */
    int32_t operand_type;             /* HF_FLOAT; HF_BFLOAT16: operands are rounded to it, sums are those of floats */
    float alpha, beta;
    const float *a;
    int64_t a_stride; /* elements from one stored row to the next, >= its length */
    const float *b;
    int64_t b_stride;
    const float *bias; /* [n]; NULL: none. Only with beta = 0 */
    float *c;
    int64_t c_stride;
} hf_matrix_product;

/*
 * Computes a product. HF_BACKEND_REFERENCE sums in double precision; HF_BACKEND_CPU takes an open library. The bits depend on the
 * library, the processor and the sizes, not on the number of threads.
 */
HF_EXPORT hf_status hf_multiply(int32_t backend, const hf_matrix_product *product, const hf_executor *executor);

#ifdef __cplusplus
}
#endif

#endif
