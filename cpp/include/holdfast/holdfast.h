/*
 * Holdfast's native kernels behind a plain C interface.
 *
 * Conventions
 *   - Every function that can fail returns an hf_status; hf_last_error() then tells, for the calling thread, which
 *     argument was wrong and what was expected. Nothing is written when arguments are refused.
 *   - Every struct begins with struct_size = sizeof the struct as the caller knows it; another size than the library's is refused.
 *     Sizes, counts and strides are int64_t and count elements unless the name ends in bytes.
 *   - No function allocates device memory. Where a backend needs scratch memory it is the caller's, of the size that
 *     the matching ..._workspace_bytes function returns.
 *   - Pointers point into host memory for HF_BACKEND_REFERENCE and HF_BACKEND_CPU and into device memory for HF_BACKEND_CUDA;
 *     option structs always lie in host memory. `stream` is a cudaStream_t for CUDA and must be NULL otherwise.
 *   - The results have the same bits on every run, whatever the number of threads.
 */
#ifndef HOLDFAST_HOLDFAST_H
#define HOLDFAST_HOLDFAST_H

#include <stddef.h>
#include <stdint.h>

#define HF_VERSION 1

#define HF_EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t hf_status;
enum {
    HF_OK = 0,
    HF_INVALID_ARGUMENT = 1, /* the caller's mistake; nothing was written */
    HF_UNSUPPORTED = 2,      /* this build or this machine cannot do it */
    HF_OUT_OF_MEMORY = 3,
    HF_DEVICE_FAILURE = 4, /* the device must be considered lost */
    HF_INTERNAL = 5
};

/* Where and how a kernel runs. */
enum {
    HF_BACKEND_REFERENCE = 0, /* plain loops in double precision, one thread: the truth that the others are tested against */
    HF_BACKEND_CPU = 1,       /* vectorised and threaded */
    HF_BACKEND_CUDA = 2
};

/* Element types, with their ONNX codes. */
enum { HF_FLOAT = 1, HF_FLOAT16 = 10, HF_BFLOAT16 = 16 };

/* The HF_VERSION that the library was built with. */
HF_EXPORT int32_t hf_version(void);

/* What went wrong in the last failed call of this thread: "<argument>: expected ..., got ...". Never NULL. */
HF_EXPORT const char *hf_last_error(void);

/* The instruction set that HF_BACKEND_CPU uses on this machine: "avx512", "avx2" or "baseline". */
HF_EXPORT const char *hf_cpu_instruction_set(void);

/*
 * Caps the instruction set of HF_BACKEND_CPU, for tests and for comparisons; "native" lifts the cap. Not to be called while kernels run.
 */
HF_EXPORT hf_status hf_cap_cpu_instruction_set(const char *name);

/* Runs task(task_context, i) for every i in [0, task_count), in any order and on any threads, and returns when all are done. */
typedef void (*hf_task)(void *task_context, int64_t index);

/* Who provides the threads. A NULL executor means the library's own pool. */
typedef struct hf_executor {
    size_t struct_size;
    void *context;
    void (*parallel_for)(void *context, int64_t task_count, hf_task task, void *task_context);
    int64_t concurrency; /* how many threads it may use, >= 1; results do not depend on it */
} hf_executor;

/* Threads of the library's own pool, the calling thread included: [1, 1024]. Until it is set, one per processor that the process may use.
 */
HF_EXPORT hf_status hf_set_thread_count(int64_t thread_count);
HF_EXPORT int64_t hf_thread_count(void);

/* ---- The anchor loss ------------------------------------------------------------------------------------------
 *
 * At every token i there are three rows of logits: student s, snapshot c ("current") and reference r.
 * p_x = softmax(x / temperature). The anchor is
 *     logit interpolation:        z_q = (1 - alpha_i) c + alpha_i r,  q = softmax(z_q / temperature)
 *     probability interpolation:  q = (1 - alpha_i) p_c + alpha_i p_r
 * and the loss
 *     L_i = kd_weight * D(q, p_s) + ce_weight * omega_i * (-log p_s(y_i)),   omega_i = 1, or p_s(y_i) held constant (DFT)
 * The gradient row is weight_i * dL_i / ds_i, which carries 1 / temperature in both terms.
 *
 * A side with fewer columns than another has logit -inf in the missing ones. The student's gradient has the student's columns.
 * A token whose label is HF_IGNORE_INDEX or whose weight is 0 has loss, statistics and gradient exactly 0.
 * A row with NaN, +inf or without any finite logit has no distribution: its loss and gradient are NaN.
 * Where D is infinite the loss says so; the gradient of D is then taken as 0 for reverse KL.
 */
#define HF_IGNORE_INDEX (-100)

enum {
    HF_FORWARD_KL = 0, /* KL(q || p_s) */
    HF_REVERSE_KL = 1, /* KL(p_s || q) */
    HF_JSD = 2         /* beta KL(q || m) + (1 - beta) KL(p_s || m), m = beta q + (1 - beta) p_s */
};
enum { HF_INTERPOLATION_LOGIT = 0, HF_INTERPOLATION_PROBABILITY = 1 };
enum { HF_LABEL_WEIGHTING_NONE = 0, HF_LABEL_WEIGHTING_DFT = 1 };
enum { HF_GRADIENT_NONE = 0, HF_GRADIENT_OVERWRITE = 1, HF_GRADIENT_ACCUMULATE = 2 };

/* Columns of the statistics. KL(a || b) in nats at the given temperature; those that lack a side are 0. */
enum {
    HF_KL_ANCHOR_STUDENT = 0,
    HF_KL_SNAPSHOT_ANCHOR = 1,
    HF_KL_SNAPSHOT_REFERENCE = 2,
    HF_KL_SNAPSHOT_STUDENT = 3,
    HF_KL_STUDENT_REFERENCE = 4,
    HF_STUDENT_ENTROPY = 5,
    HF_STUDENT_LOG_SUM_EXP = 6, /* of logits / temperature, like the next two */
    HF_SNAPSHOT_LOG_SUM_EXP = 7,
    HF_REFERENCE_LOG_SUM_EXP = 8,
    HF_LABEL_LOG_PROBABILITY = 9, /* log p_s(label) */
    HF_LABEL_IS_ARGMAX = 10,      /* 1 if the label is the first of the student's highest logits, else 0 */
    HF_STATISTICS_COUNT = 11
};

typedef struct hf_anchor_loss_options {
    size_t struct_size;
    int32_t divergence;
    int32_t interpolation;
    int32_t label_weighting;
    float temperature; /* > 0 */
    float kd_weight;   /* >= 0; needs no reference when 0 */
    float ce_weight;   /* >= 0 */
    float beta;        /* in (0, 1); read for HF_JSD alone */
} hf_anchor_loss_options;

/* Rows of logits. */
typedef struct hf_logits {
    size_t struct_size;
    const void *data;        /* [token_count, vocabulary_size] */
    int64_t vocabulary_size; /* >= 1 */
    int64_t row_stride;      /* elements from one row to the next, >= vocabulary_size */
    int32_t element_type;
} hf_logits;

/* What is given per token; each array has token_count elements. */
typedef struct hf_anchor_loss_tokens {
    size_t struct_size;
    const int64_t *labels; /* in [0, student vocabulary) or HF_IGNORE_INDEX */
    const float *weights;  /* finite */
    const float *alphas;   /* in [0, 1]; may be NULL without a reference */
} hf_anchor_loss_tokens;

/* Where results go; a NULL pointer means not wanted. */
typedef struct hf_anchor_loss_outputs {
    size_t struct_size;
    float *token_loss;       /* [token_count], L_i without the weight */
    float *statistics;       /* [token_count, HF_STATISTICS_COUNT] */
    void *student_gradient;  /* [token_count, student vocabulary]; may be the student's logits themselves to overwrite them */
    int64_t gradient_stride; /* elements from one row to the next */
    int32_t gradient_type;   /* element type */
    int32_t gradient_mode;   /* HF_GRADIENT_... */
} hf_anchor_loss_outputs;

/*
 * The loss, its gradient and the statistics of every token.
 *
 * snapshot NULL (or the student's own struct contents): the student's own logits, held constant. reference NULL: no distillation
 * term, and without a snapshot only the student's row is read. executor and workspace may be NULL where they are not needed.
 *
 * HF_BACKEND_CUDA enqueues the work on a stream of the current device and returns; memory must stay until the work is done. Values in
 * device memory are not checked, for that would wait for the device: a label or an alpha out of range makes loss and gradient of its token
 * NaN, weights are taken as they are.
 */
HF_EXPORT hf_status hf_anchor_loss(int32_t backend, int64_t token_count, const hf_anchor_loss_options *options, const hf_logits *student,
                                   const hf_logits *snapshot, const hf_logits *reference, const hf_anchor_loss_tokens *tokens,
                                   const hf_anchor_loss_outputs *outputs, void *workspace, size_t workspace_bytes,
                                   const hf_executor *executor, void *stream);

/*
 * The sum of weight_i * token_loss_i over the tokens that take part, summed in double and rounded once: the loss whose gradient
 * hf_anchor_loss gives. Like everything it points to, sum lies in the memory of the backend.
 */
HF_EXPORT hf_status hf_anchor_loss_sum(int32_t backend, int64_t token_count, const hf_anchor_loss_tokens *tokens, const float *token_loss,
                                       float *sum, void *stream);

/* Bytes of workspace, aligned to 16, that hf_anchor_loss needs for such arguments; 0 on the CPU. */
HF_EXPORT hf_status hf_anchor_loss_workspace_bytes(int32_t backend, int64_t token_count, const hf_logits *student,
                                                   const hf_logits *snapshot, const hf_logits *reference, size_t *workspace_bytes);

#ifdef __cplusplus
}
#endif

#endif
