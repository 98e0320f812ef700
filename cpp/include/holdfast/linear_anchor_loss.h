/*
 * The anchor loss fused with the LM head: hidden states and heads in; loss, statistics and the gradients of the student's hidden states and
 * of its head out. Logits exist for one chunk of tokens at a time, in the caller's workspace. The conventions are those of holdfast.h.
 *
 * Floating-point operations, with N tokens that take part, H the hidden size and V the vocabulary; ignored tokens cost nothing:
 *
 *     10 NHV  HF_ANCHOR_SIDES: three products forward, one for each gradient
 *      8 NHV  HF_ANCHOR_MIXED or HF_ANCHOR_HIDDEN: one product less; so has HF_ANCHOR_SIDES without head gradient (frozen head)
 *      6 NHV  HF_ANCHOR_MIXED or HF_ANCHOR_HIDDEN, frozen head
 *      4 NHV  HF_ANCHOR_MEAN, as much as cross-entropy alone with a frozen head
 */
#ifndef HOLDFAST_LINEAR_ANCHOR_LOSS_H
#define HOLDFAST_LINEAR_ANCHOR_LOSS_H

#include "holdfast/holdfast.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Logits as a product that is still to be computed: hidden times the transposed head. */
typedef struct hf_linear_logits {
    size_t struct_size;
    const void *hidden;      /* [token_count, hidden_size] */
    const void *head;        /* [vocabulary_size, hidden_size] */
    int64_t hidden_size;     /* >= 1; a model of another hidden size than the student's may be a side */
    int64_t vocabulary_size; /* >= 1; logits are -inf in the columns that another side has more */
    int64_t hidden_stride;   /* elements from one row to the next, >= hidden_size */
    int64_t head_stride;     /* likewise */
    int32_t hidden_type;     /* element type */
    int32_t head_type;       /* element type; on the CPU HF_FLOAT or HF_BFLOAT16 */
} hf_linear_logits;

/* How the anchor is given. */
enum {
    /* Snapshot and reference by hidden states and heads of their own, with every statistic. */
    HF_ANCHOR_SIDES = 0,
    /* Snapshot and reference share one head, so that their hidden states are mixed instead of their logits; logit interpolation alone. */
    HF_ANCHOR_MIXED = 1,
    /* `reference` holds hidden states that the caller has mixed, or those of any model that is the anchor; alphas are not read. */
    HF_ANCHOR_HIDDEN = 2,
    /*
     * All models share the student's head W, which is frozen, and the divergence is forward KL: then the anchor q enters by its mean row
     * mu = transpose(W) q and its entropy alone, which hf_anchor_mean makes once,
     *     KL(q || p_s) = log-sum-exp(z_s / temperature) - mu h / temperature - entropy(q)
     *     dKL/dh = (transpose(W) p_s - mu) / temperature
     * Both are differences of numbers that are nearly equal near the anchor. Where the student's logits differ from the anchor's by about
     * d < 1, the gradient's relative error with float operands is near 7e-7 / d (other forms with a shared head: 1e-7 / d), and the loss is
     * exact to 1e-6, two roundings of a log-sum-exp; it is never below 0. Where the student is the anchor, an exact 0 is not promised.
     * With bfloat16 operands p_s is multiplied in float all the same, and nothing is lost if hidden states and head are bfloat16 already.
     * If they have to be rounded, logits are off by a hundredth or so, which is an error of 0.005 / d: then HF_ANCHOR_MIXED, with 0.004 at
     * any d, is the form to take.
     */
    HF_ANCHOR_MEAN = 3
};

/* Pointers that a form does not read must be NULL. */
typedef struct hf_linear_anchor {
    size_t struct_size;
    const hf_linear_logits *snapshot;  /* SIDES, MIXED; NULL: the student's own, held constant */
    const hf_linear_logits *reference; /* SIDES, where NULL means no distillation term; MIXED; HIDDEN */
    const float *mean;                 /* MEAN: [token_count, the student's hidden_size] */
    const float *entropy;              /* MEAN: [token_count] */
    int32_t form;                      /* HF_ANCHOR_... */
} hf_linear_anchor;

/*
 * Where results go; a NULL pointer means not wanted. Gradients are those of the sum of weight_i * L_i. On the CPU they are floats.
 * A head that is tied to the embedding accumulates.
 */
typedef struct hf_linear_anchor_loss_outputs {
    size_t struct_size;
    float *token_loss;              /* [token_count], L_i without the weight */
    float *statistics;              /* [token_count, HF_STATISTICS_COUNT] */
    void *hidden_gradient;          /* [token_count, the student's hidden_size] */
    void *head_gradient;            /* [the student's vocabulary_size, its hidden_size]; not with HF_ANCHOR_MEAN */
    int64_t hidden_gradient_stride; /* elements from one row to the next */
    int64_t head_gradient_stride;
    int32_t hidden_gradient_type; /* element type */
    int32_t head_gradient_type;
    int32_t hidden_gradient_mode; /* HF_GRADIENT_... */
    int32_t head_gradient_mode;
} hf_linear_anchor_loss_outputs;

/*
 * The loss of holdfast.h on logits that are never all there. Options and tokens are those of hf_anchor_loss, ignored tokens included: their
 * loss, statistics and hidden gradient are exactly 0, and the head gradient has no part of them.
 *
 * operand_type: HF_FLOAT, or HF_BFLOAT16 to round the operands of products (hf_multiplies tells whether this machine can); sums are floats.
 * Sides that share a head are multiplied by the differences of their hidden states, so that rounding leaves the gradient 8 bits near the
 * anchor too. HF_BACKEND_REFERENCE rounds nothing. HF_BACKEND_CPU needs a matrix library (hf_open_matrix_library). Memory of outputs and
 * workspace must overlap nothing else.
 *
 * Statistics of forms other than HF_ANCHOR_SIDES: KL(anchor || student) and what concerns the student alone; the others are 0.
 */
HF_EXPORT hf_status hf_linear_anchor_loss(int32_t backend, int64_t token_count, const hf_anchor_loss_options *options, int32_t operand_type,
                                          const hf_linear_logits *student, const hf_linear_anchor *anchor,
                                          const hf_anchor_loss_tokens *tokens, const hf_linear_anchor_loss_outputs *outputs,
                                          void *workspace, size_t workspace_bytes, const hf_executor *executor, void *stream);

/* Bytes of workspace, aligned to 64, that hf_linear_anchor_loss needs for such arguments: at most 512 MiB however many tokens there are,
 * unless a single token needs more; 0 for HF_BACKEND_REFERENCE. */
HF_EXPORT hf_status hf_linear_anchor_loss_workspace_bytes(int32_t backend, int64_t token_count, const hf_linear_logits *student,
                                                          const hf_linear_anchor *anchor, size_t *workspace_bytes);

/*
 * What HF_ANCHOR_MEAN takes: the anchor's mean row of the head and its entropy in nats, of every token.
 *
 * snapshot and reference share the head. Logit interpolation costs 4 NHV, probability interpolation 6 NHV. snapshot NULL: the reference
 * alone is the anchor, and alphas are not read. Rows without a distribution have mean and entropy NaN.
 */
HF_EXPORT hf_status hf_anchor_mean(int32_t backend, int64_t token_count, int32_t interpolation, float temperature, int32_t operand_type,
                                   const hf_linear_logits *snapshot, const hf_linear_logits *reference, const float *alphas, float *mean,
                                   float *entropy, void *workspace, size_t workspace_bytes, const hf_executor *executor, void *stream);

/* Bytes of workspace that hf_anchor_mean needs for such arguments, as above. */
HF_EXPORT hf_status hf_anchor_mean_workspace_bytes(int32_t backend, int64_t token_count, int32_t interpolation,
                                                   const hf_linear_logits *snapshot, const hf_linear_logits *reference,
                                                   size_t *workspace_bytes);

#ifdef __cplusplus
}
#endif

#endif
