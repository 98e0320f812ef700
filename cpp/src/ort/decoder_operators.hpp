// Operators of training graphs of decoder models; decoder.hpp has their formulas.
#pragma once

#include "decoder/decoder.hpp"
#include "ort/operator.hpp"

namespace holdfast::ort {

/// base, or zeros, plus the rows of dy at the rows of the embedding that they came from.
class EmbeddingGradOperator {
public:
    static constexpr const char *NAME = "EmbeddingGrad";
    static constexpr Parameter INPUTS[] = {
        {"ids", abi::INT64},                   // [...]
        {"dy", abi::FLOAT},                    // [..., hidden]
        {"base", abi::FLOAT, abi::OPTIONAL},   // [vocabulary, hidden]; absent: attribute vocabulary_size says how many rows
    };
    static constexpr Parameter OUTPUTS[] = {{"embedding_grad", abi::FLOAT}};
    static constexpr InPlace IN_PLACE[] = {{2, 0}};

    explicit EmbeddingGradOperator(const Attributes &attributes) : vocabulary_size_(attributes.integer("vocabulary_size", 0)) {}

    void compute(Context &context) const;
    static void infer_shapes(ShapeInference &inference) { inference.output(0, inference.input(2)); }

private:
    int64_t vocabulary_size_;
};

class RmsNormGradOperator {
public:
    static constexpr const char *NAME = "RmsNormGrad";
    static constexpr Parameter INPUTS[] = {
        {"dy", abi::FLOAT},                            // [..., hidden]
        {"x", abi::FLOAT},                             // [..., hidden]
        {"scale", abi::FLOAT},                         // [hidden]
        {"residual_grad", abi::FLOAT, abi::OPTIONAL},  // [..., hidden], added to dx
    };
    static constexpr Parameter OUTPUTS[] = {{"dx", abi::FLOAT}, {"d_scale", abi::FLOAT}};
    static constexpr InPlace IN_PLACE[] = {{3, 0}, {0, 0}};

    explicit RmsNormGradOperator(const Attributes &attributes) : epsilon_(attributes.number("epsilon", 1e-5f)) {}

    void compute(Context &context) const;
    static void infer_shapes(ShapeInference &inference) {
        inference.output(0, inference.input(1));
        inference.output(1, inference.input(2));
    }

private:
    float epsilon_;
};

class SwiGluOperator {
public:
    static constexpr const char *NAME = "SwiGlu";
    static constexpr Parameter INPUTS[] = {{"gate", abi::FLOAT}, {"up", abi::FLOAT}};
    static constexpr Parameter OUTPUTS[] = {{"y", abi::FLOAT}};
    static constexpr InPlace IN_PLACE[] = {{0, 0}, {1, 0}};

    explicit SwiGluOperator(const Attributes &) {}

    void compute(Context &context) const;
    static void infer_shapes(ShapeInference &inference) { inference.output(0, inference.input(0)); }
};

class SwiGluGradOperator {
public:
    static constexpr const char *NAME = "SwiGluGrad";
    static constexpr Parameter INPUTS[] = {{"dy", abi::FLOAT}, {"gate", abi::FLOAT}, {"up", abi::FLOAT}};
    static constexpr Parameter OUTPUTS[] = {{"d_gate", abi::FLOAT}, {"d_up", abi::FLOAT}};
    static constexpr InPlace IN_PLACE[] = {{1, 0}, {2, 1}};

    explicit SwiGluGradOperator(const Attributes &) {}

    void compute(Context &context) const;
    static void infer_shapes(ShapeInference &inference) {
        inference.output(0, inference.input(1));
        inference.output(1, inference.input(2));
    }
};

/// The attributes that both directions of attention share.
struct AttentionHeads {
    int64_t heads;
    int64_t kv_heads;
    float scale;

    explicit AttentionHeads(const Attributes &attributes);
};

class CausalAttentionOperator {
public:
    static constexpr const char *NAME = "CausalAttention";
    static constexpr Parameter INPUTS[] = {
        {"q", abi::FLOAT},                  // [batch, length, num_heads * head_size]
        {"k", abi::FLOAT},                  // [batch, length, kv_num_heads * head_size]
        {"v", abi::FLOAT},                  // like k
        {"cos", abi::FLOAT, abi::OPTIONAL}, // [length, head_size / 2]; absent: no rotation
        {"sin", abi::FLOAT, abi::OPTIONAL},
    };
    static constexpr Parameter OUTPUTS[] = {{"o", abi::FLOAT}, {"log_sum_exp", abi::FLOAT}};
    static constexpr InPlace IN_PLACE[] = {{0, 0}};

    explicit CausalAttentionOperator(const Attributes &attributes) : heads_(attributes) {}

    void compute(Context &context) const;
    static void infer_shapes(ShapeInference &inference) { inference.output(0, inference.input(0)); }

private:
    AttentionHeads heads_;
};

class CausalAttentionGradOperator {
public:
    static constexpr const char *NAME = "CausalAttentionGrad";
    static constexpr Parameter INPUTS[] = {
        {"d_o", abi::FLOAT},
        {"q", abi::FLOAT},
        {"k", abi::FLOAT},
        {"v", abi::FLOAT},
        {"o", abi::FLOAT},
        {"log_sum_exp", abi::FLOAT},
        {"cos", abi::FLOAT, abi::OPTIONAL},
        {"sin", abi::FLOAT, abi::OPTIONAL},
    };
    static constexpr Parameter OUTPUTS[] = {{"dq", abi::FLOAT}, {"dk", abi::FLOAT}, {"dv", abi::FLOAT}};
    static constexpr InPlace IN_PLACE[] = {{0, 0}, {2, 1}, {3, 2}};

    explicit CausalAttentionGradOperator(const Attributes &attributes) : heads_(attributes) {}

    void compute(Context &context) const;
    static void infer_shapes(ShapeInference &inference) {
        inference.output(0, inference.input(1));
        inference.output(1, inference.input(2));
        inference.output(2, inference.input(3));
    }

private:
    AttentionHeads heads_;
};

}  // namespace holdfast::ort
