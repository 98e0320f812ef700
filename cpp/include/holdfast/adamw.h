/*
 * The optimizer AdamW over lists of tensors in place, and the norm of all gradients together.
 * The conventions are those of holdfast.h.
 */
#ifndef HOLDFAST_ADAMW_H
#define HOLDFAST_ADAMW_H

#include "holdfast/holdfast.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The settings of one step. */
typedef struct hf_adamw_options {
    size_t struct_size;
    double learning_rate;  /* eta, finite, >= 0 */
    double beta1;          /* [0, 1) */
    double beta2;          /* [0, 1) */
    double epsilon;        /* finite, > 0 */
    double weight_decay;   /* lambda, finite, >= 0 */
    double gradient_scale; /* factor on every gradient, finite; 1 unless gradients are clipped */
    int64_t step;          /* t: 1 in the first step */
} hf_adamw_options;

/* Tensors of floats: element_counts[i] elements at each of the four addresses with index i. They must not overlap. */
typedef struct hf_adamw_tensors {
    size_t struct_size;
    int64_t count;
    const int64_t *element_counts;
    float *const *parameters;
    const float *const *gradients;
    float *const *first_moments;
    float *const *second_moments;
} hf_adamw_tensors;

/*
 * One step of AdamW; parameters and moments change, gradients do not:
 *     g = gradient_scale * gradient
 *     theta <- theta - eta * lambda * theta
 *     m <- beta1 m + (1 - beta1) g
 *     v <- beta2 v + (1 - beta2) g^2
 *     theta <- theta - eta / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
 * Source: Loshchilov and Hutter, Decoupled Weight Decay Regularization, arXiv 1711.05101, algorithm 2, with the schedule multiplier in eta
 * and eta * lambda for lambda, as torch.optim.AdamW has it. HF_BACKEND_REFERENCE and HF_BACKEND_CPU.
 */
HF_EXPORT hf_status hf_adamw(int32_t backend, const hf_adamw_options *options, const hf_adamw_tensors *tensors,
                             const hf_executor *executor);

/*
 * The Euclidean norm of all elements of `tensor_count` tensors together, summed in double; NaN or infinite exactly if an element is.
 * HF_BACKEND_REFERENCE and HF_BACKEND_CPU.
 */
HF_EXPORT hf_status hf_gradient_norm(int32_t backend, int64_t tensor_count, const int64_t *element_counts, const float *const *gradients,
                                     double *norm, const hf_executor *executor);

#ifdef __cplusplus
}
#endif

#endif
