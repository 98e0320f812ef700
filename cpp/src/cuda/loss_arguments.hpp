// What the host tells the kernels of the anchor loss: the arguments of hf_anchor_loss without what only the host reads.
#pragma once

#include <cstdint>

namespace holdfast::cuda {

/// Rows of one side in device memory; no data where the side is not read.
struct Rows {
    const void *data = nullptr;
    int64_t columns = 0;
    int64_t stride_bytes = 0;
    int32_t type = 0;
};

/// Where the gradient goes.
struct GradientRows {
    void *data = nullptr;  // NULL: no gradient is wanted
    int64_t columns = 0;
    int64_t stride_bytes = 0;
    int32_t type = 0;
    bool accumulates = false;
    bool is_like_student = false;  // of the student's type, and its rows lie alike in units of 16 bytes
};

struct LossArguments {
    Rows student, snapshot, reference;
    GradientRows gradient;
    const int64_t *labels;
    const float *weights;
    const float *alphas;
    float *token_loss;
    float *statistics;
    int64_t first_token;       // of the launch
    int64_t width;             // columns of the widest side that is read
    int32_t groups_per_block;  // units of 16 bytes of a row that one block of the cluster works on
    float temperature;
    float exponent_scale;  // log2(e) / temperature
    float kd_weight;
    float ce_weight;
    float beta;
    bool weights_by_probability;  // DFT
};

}  // namespace holdfast::cuda
