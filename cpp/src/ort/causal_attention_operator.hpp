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
class CausalAttentionOperator {
public:
    static constexpr const char *NAME = "CausalAttention";
    static constexpr Parameter INPUTS[] = {
        {"query", abi::FLOAT},  // [B, T, num_heads d]
        {"key", abi::FLOAT},    // [B, T, kv_num_heads d]
        {"value", abi::FLOAT},  // [B, T, kv_num_heads d]
        {"cosines", abi::FLOAT, abi::OPTIONAL},
        {"sines", abi::FLOAT, abi::OPTIONAL},
    };
    static constexpr Parameter OUTPUTS[] = {{"output", abi::FLOAT}, {"log_sum_exp", abi::FLOAT}};
    static constexpr InPlace IN_PLACE[] = {{0, 0}};

    explicit CausalAttentionOperator(const Attributes &attributes) : attributes_(attributes) {}

    void compute(Context &context) const;
    static void infer_shapes(ShapeInference &inference);

private:
    AttentionAttributes attributes_;
};

/// hf_causal_attention_gradient inside a graph.
class CausalAttentionGradOperator {
public:
    static constexpr const char *NAME = "CausalAttentionGrad";
    static constexpr Parameter INPUTS[] = {
        {"output_gradient", abi::FLOAT},
        {"query", abi::FLOAT},
        {"key", abi::FLOAT},
        {"value", abi::FLOAT},
        {"output", abi::FLOAT},
        {"log_sum_exp", abi::FLOAT},
        {"cosines", abi::FLOAT, abi::OPTIONAL},
        {"sines", abi::FLOAT, abi::OPTIONAL},
    };
    static constexpr Parameter OUTPUTS[] = {{"query_gradient", abi::FLOAT}, {"key_gradient", abi::FLOAT}, {"value_gradient", abi::FLOAT}};
    static constexpr InPlace IN_PLACE[] = {{0, 0}, {2, 1}, {3, 2}};

    explicit CausalAttentionGradOperator(const Attributes &attributes) : attributes_(attributes) {}

    void compute(Context &context) const;
    static void infer_shapes(ShapeInference &inference);

private:
    AttentionAttributes attributes_;
};

}  // namespace holdfast::ort
