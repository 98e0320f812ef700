// The operators dev.holdfast:CausalAttention and dev.holdfast:CausalAttentionGrad.
#pragma once

#include "ort/operator.hpp"

namespace holdfast::ort {

/// The attributes of both operators: how many heads the tensors hold, and the factor on the scores.
struct AttentionAttributes {
    int64_t num_heads;
    int64_t kv_num_heads;
    float scale;

    explicit AttentionAttributes(const Attributes &attributes);
};

/// hf_causal_attention inside a graph. The tables of cosines and sines may have more rows than there are positions.
class BlockedAttentionOperator {
public:
    static constexpr const char *NAME = "CausalAttention";
    static constexpr Parameter INPUTS[] = {
        {"q", abi::FLOAT},  // [B, T, num_heads d]
        {"k", abi::FLOAT},  // [B, T, kv_num_heads d]
        {"v", abi::FLOAT},  // [B, T, kv_num_heads d]
        {"cos", abi::FLOAT, abi::OPTIONAL},
        {"sin", abi::FLOAT, abi::OPTIONAL},
    };
    static constexpr Parameter OUTPUTS[] = {{"o", abi::FLOAT}, {"log_sum_exp", abi::FLOAT}};
    static constexpr InPlace IN_PLACE[] = {{0, 0}};

    explicit BlockedAttentionOperator(const Attributes &attributes) : attributes_(attributes) {}

    void compute(Context &context) const;
    static void infer_shapes(ShapeInference &inference);

private:
    AttentionAttributes attributes_;
};

/// hf_causal_attention_gradient inside a graph.
class BlockedAttentionGradOperator {
public:
    static constexpr const char *NAME = "CausalAttentionGrad";
    static constexpr Parameter INPUTS[] = {
        {"d_o", abi::FLOAT}, {"q", abi::FLOAT},       {"k", abi::FLOAT},
        {"v", abi::FLOAT},           {"o", abi::FLOAT},      {"log_sum_exp", abi::FLOAT},
        {"cos", abi::FLOAT, abi::OPTIONAL}, {"sin", abi::FLOAT, abi::OPTIONAL},
    };
    static constexpr Parameter OUTPUTS[] = {{"dq", abi::FLOAT}, {"dk", abi::FLOAT}, {"dv", abi::FLOAT}};
    static constexpr InPlace IN_PLACE[] = {{0, 0}, {2, 1}, {3, 2}};

    explicit BlockedAttentionGradOperator(const Attributes &attributes) : attributes_(attributes) {}

    void compute(Context &context) const;
    static void infer_shapes(ShapeInference &inference);

private:
    AttentionAttributes attributes_;
};

}  // namespace holdfast::ort
