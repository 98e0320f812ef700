/*
 * Causal attention with grouped heads and rotary positions, and its gradient.
 * The conventions are those of holdfast.h.
 */
#ifndef HOLDFAST_ATTENTION_H
#define HOLDFAST_ATTENTION_H

#include "holdfast/holdfast.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The sizes of the tensors. Query head h attends to key and value head h / (head_count / key_value_head_count). */
typedef struct hf_causal_attention_options {
    size_t struct_size;
    int64_t batch_size;           /* B >= 0 */
    int64_t sequence_length;      /* T >= 0 */
    int64_t head_count;           /* Hq >= 1, a multiple of Hkv */
    int64_t key_value_head_count; /* Hkv >= 1 */
    int64_t head_size;            /* d >= 1; even with rotary positions */
    float scale;                  /* factor on the scores, finite; 1 / sqrt(d) as a rule */
} hf_causal_attention_options;

/*
 * What the operator reads. Cosines and sines of the angles of the positions come together or are both NULL: then nothing is rotated.
 * R_t turns (x1, x2), the halves of a head, into (x1 cos_t - x2 sin_t, x2 cos_t + x1 sin_t).
 */
typedef struct hf_causal_attention_inputs {
    size_t struct_size;
    const float *query;   /* [B, T, Hq d], before rotation */
    const float *key;     /* [B, T, Hkv d], before rotation */
    const float *value;   /* [B, T, Hkv d] */
    const float *cosines; /* [T, d / 2] or NULL */
    const float *sines;   /* [T, d / 2] or NULL */
} hf_causal_attention_inputs;

/*
 * For every head and every position i, with j running over [0, i]:
 *     s_ij = scale (R_i q_i) . (R_j k_j),  lse_i = log sum_j exp(s_ij),  o_i = sum_j exp(s_ij - lse_i) v_j
 * output is [B, T, Hq d], log_sum_exp [B, Hq, T]. Neither may overlap the inputs, but output may be the query's memory.
 * Source: Dao et al., FlashAttention, arXiv 2205.14135, algorithm 1; Su et al., RoFormer, arXiv 2104.09864, with the halves of a head as
 * pairs. Scratch memory of a few times T d floats stays with each thread that took part. HF_BACKEND_REFERENCE and HF_BACKEND_CPU.
 */
HF_EXPORT hf_status hf_causal_attention(int32_t backend, const hf_causal_attention_options *options,
                                        const hf_causal_attention_inputs *inputs, float *output, float *log_sum_exp,
                                        const hf_executor *executor);

/*
 * The gradients of sum(output * output_gradient) by query, key and value before rotation, with the shapes of these:
 *     p_ij = exp(s_ij - lse_i),  delta_i = do_i . o_i,  ds_ij = p_ij (do_i . v_j - delta_i)
 *     dq_i = scale R_i^T sum_j ds_ij R_j k_j,  dk_j = scale R_j^T sum_i ds_ij R_i q_i,  dv_j = sum_i p_ij do_i
 * output and log_sum_exp are what hf_causal_attention computed from the same inputs; HF_BACKEND_REFERENCE computes them anew in double.
 * The gradients are overwritten and may not overlap anything else, but query_gradient may be the memory of output_gradient, key_gradient
 * the key's and value_gradient the value's. Source: arXiv 2205.14135, algorithm 4.
 */
HF_EXPORT hf_status hf_causal_attention_gradient(int32_t backend, const hf_causal_attention_options *options,
                                                 const hf_causal_attention_inputs *inputs, const float *output, const float *log_sum_exp,
                                                 const float *output_gradient, float *query_gradient, float *key_gradient,
                                                 float *value_gradient, const hf_executor *executor);

#ifdef __cplusplus
}
#endif

#endif
