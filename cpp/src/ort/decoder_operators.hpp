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
        {"ids", abi::INT64},                  // [...]
        {"dy", abi::FLOAT},                   // [..., hidden]
        {"base", abi::FLOAT, abi::OPTIONAL},  // [vocabulary, hidden]; absent: attribute vocabulary_size says how many rows
    };
    static constexpr Parameter OUTPUTS[] = {{"embedding_grad", abi::FLOAT}};
    static constexpr InPlace IN_PLACE[] = {{2, 0}};

    explicit EmbeddingGradOperator(const Attributes &attributes) : vocabulary_size_(attributes.integer("vocabulary_size", 0)) {}

    void compute(Context &context) const;
    static void infer_shapes(ShapeInference &inference) { inference.output(0, inference.input(2)); }

private:
    int64_t vocabulary_size_;
};

/// As EmbeddingGrad with a base, in the memory of `total`, which may belong to the caller of the session; reset: as if it were zeros.
class AccumulateEmbeddingGradOperator {
public:
    static constexpr const char *NAME = "AccumulateEmbeddingGrad";
    static constexpr Parameter INPUTS[] = {
        {"ids", abi::INT64},                  // [...]
        {"dy", abi::FLOAT},                   // [..., hidden]
        {"total", abi::FLOAT},                // [vocabulary, hidden]
        {"reset", abi::BOOL, abi::OPTIONAL},  // [1]
    };
    static constexpr Parameter OUTPUTS[] = {{"total", abi::FLOAT}};
    static constexpr InPlace ALIASES[] = {{2, 0}};

    explicit AccumulateEmbeddingGradOperator(const Attributes &) {}

    void compute(Context &context) const;
    static void infer_shapes(ShapeInference &inference) { inference.output(0, inference.input(2)); }
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

}  // namespace holdfast::ort
