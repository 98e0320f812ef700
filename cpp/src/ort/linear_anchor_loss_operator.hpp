// The loss fused with the LM head in graphs, in the operand type that the session asks for.
#pragma once

#include <memory>

#include "holdfast/linear_anchor_loss.h"
#include "ort/kept_memory.hpp"
#include "ort/operator.hpp"

namespace holdfast::ort {

/// hf_linear_anchor_loss; the loss output is the weighted sum over the tokens. Attribute `form`: HF_ANCHOR_..., 0 if it is missing.
template <int32_t OPERAND_TYPE>
class LinearAnchorLossOperator {
public:
    static constexpr const char *NAME = "LinearAnchorLoss";
    static constexpr Parameter INPUTS[] = {
        {"student_hidden", abi::FLOAT},  // [N, H]
        {"student_head", abi::FLOAT},    // [V, H]
        {"labels", abi::INT64},
        {"weights", abi::FLOAT},
        {"coefficients", abi::FLOAT, abi::REQUIRED, abi::HOST_MEMORY},
        {"modes", abi::INT64, abi::REQUIRED, abi::HOST_MEMORY},
        {"alphas", abi::FLOAT, abi::OPTIONAL},           // required with a snapshot or reference that is mixed
        {"snapshot_hidden", abi::FLOAT, abi::OPTIONAL},  // absent: the student's own, held constant
        {"snapshot_head", abi::FLOAT, abi::OPTIONAL},    // absent: the student's
        {"reference_hidden", abi::FLOAT, abi::OPTIONAL},
        {"reference_head", abi::FLOAT, abi::OPTIONAL},  // absent: the snapshot's
        {"mean", abi::FLOAT, abi::OPTIONAL},
        {"entropy", abi::FLOAT, abi::OPTIONAL},
        {"head_gradient_total", abi::FLOAT, abi::OPTIONAL},  // [V, H]; what the head's gradient is added to, in its memory
        {"reset", abi::BOOL, abi::OPTIONAL},                 // [1]; the total's contents do not count
    };
    static constexpr Parameter OUTPUTS[] = {
        {"loss", abi::FLOAT, abi::OPTIONAL},
        {"hidden_gradient", abi::FLOAT, abi::OPTIONAL},
        {"head_gradient", abi::FLOAT, abi::OPTIONAL},
        {"token_loss", abi::FLOAT, abi::OPTIONAL},
        {"statistics", abi::FLOAT},
    };
    static constexpr InPlace ALIASES[] = {{13, 2}};

    explicit LinearAnchorLossOperator(const Attributes &attributes)
        : form_(static_cast<int32_t>(attributes.integer("form", HF_ANCHOR_SIDES))), workspace_(std::make_unique<KeptMemory>()) {}

    void compute(Context &context) const;
    static void infer_shapes(ShapeInference &inference);

private:
    int32_t form_;
    std::unique_ptr<KeptMemory> workspace_;
};

/// hf_anchor_mean. Attributes: interpolation, HF_INTERPOLATION_... and 0 if it is missing; temperature, 1 if it is missing.
template <int32_t OPERAND_TYPE>
class AnchorMeanOperator {
public:
    static constexpr const char *NAME = "AnchorMean";
    static constexpr Parameter INPUTS[] = {
        {"reference_hidden", abi::FLOAT},                // [N, H]
        {"head", abi::FLOAT},                            // [V, H]
        {"snapshot_hidden", abi::FLOAT, abi::OPTIONAL},  // absent: the reference alone is the anchor
        {"alphas", abi::FLOAT, abi::OPTIONAL},           // required with a snapshot
    };
    static constexpr Parameter OUTPUTS[] = {{"mean", abi::FLOAT}, {"entropy", abi::FLOAT}};

    explicit AnchorMeanOperator(const Attributes &attributes)
        : interpolation_(static_cast<int32_t>(attributes.integer("interpolation", HF_INTERPOLATION_LOGIT))),
          temperature_(attributes.number("temperature", 1.0f)),
          workspace_(std::make_unique<KeptMemory>()) {}

    void compute(Context &context) const;
    static void infer_shapes(ShapeInference &inference);

private:
    int32_t interpolation_;
    float temperature_;
    std::unique_ptr<KeptMemory> workspace_;
};

}  // namespace holdfast::ort
