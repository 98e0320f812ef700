// What the implementations of the fused loss share: checked arguments.
#pragma once

#include "head/linear_logits.hpp"
#include "loss/anchor_loss.hpp"

namespace holdfast {

/// Arguments that were found valid; sides that are absent have no vocabulary. With HF_ANCHOR_MIXED the snapshot is never absent.
struct LinearAnchorLoss {
    int64_t token_count;
    hf_anchor_loss_options options;
    int32_t operand_type;
    int32_t form;
    hf_linear_logits student;
    hf_linear_logits snapshot;
    hf_linear_logits reference;
    const float *mean;
    const float *entropy;
    hf_anchor_loss_tokens tokens;
    hf_linear_anchor_loss_outputs outputs;

    bool has_snapshot() const { return is_present(snapshot); }
    bool has_reference() const { return is_present(reference); }
    bool wants_hidden_gradient() const { return outputs.hidden_gradient != nullptr && outputs.hidden_gradient_mode != HF_GRADIENT_NONE; }
    bool wants_head_gradient() const { return outputs.head_gradient != nullptr && outputs.head_gradient_mode != HF_GRADIENT_NONE; }
    bool is_ignored(int64_t token) const { return tokens.labels[token] == HF_IGNORE_INDEX || tokens.weights[token] == 0.0f; }
    bool reads_alphas() const { return has_reference() && form != HF_ANCHOR_HIDDEN; }
    float *hidden_gradient(int64_t token) const {
        return static_cast<float *>(outputs.hidden_gradient) + token * outputs.hidden_gradient_stride;
    }
    float *head_gradient(int64_t column) const {
        return static_cast<float *>(outputs.head_gradient) + column * outputs.head_gradient_stride;
    }
};

/// Whether a form gives a column of the statistics.
bool has_statistic(int32_t form, int64_t column);

/// Results of a token that takes no part.
void write_ignored(const LinearAnchorLoss &, int64_t token);

void linear_anchor_loss_reference(const LinearAnchorLoss &);

size_t chunked_workspace_bytes(const LinearAnchorLoss &);

/// On HF_BACKEND_CPU, a chunk of tokens after another.
hf_status linear_anchor_loss_in_chunks(const LinearAnchorLoss &, void *workspace, const hf_executor *);

}  // namespace holdfast
