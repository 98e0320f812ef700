// The operator dev.holdfast:AnchorLoss.
#pragma once

#include "ort/operator.hpp"

namespace holdfast::ort {

/// hf_anchor_loss inside a graph; the loss output is the weighted sum over the tokens. One class for each backend, of which a session takes
/// the one whose provider it has.
template <int32_t BACKEND>
class AnchorLossOperator {
public:
    static constexpr const char *NAME = "AnchorLoss";
    static constexpr const char *PROVIDER = BACKEND == HF_BACKEND_CUDA ? CUDA_PROVIDER : CPU_PROVIDER;
    static constexpr Parameter INPUTS[] = {
        {"student_logits", abi::FLOAT},
        {"snapshot_logits", abi::FLOAT, abi::OPTIONAL},   // absent: the student's own, held constant
        {"reference_logits", abi::FLOAT, abi::OPTIONAL},  // absent: no distillation term
        {"labels", abi::INT64},
        {"weights", abi::FLOAT},
        {"alphas", abi::FLOAT, abi::OPTIONAL},  // required with a reference
        {"coefficients", abi::FLOAT, abi::REQUIRED, abi::HOST_MEMORY},
        {"modes", abi::INT64, abi::REQUIRED, abi::HOST_MEMORY},
    };
    static constexpr Parameter OUTPUTS[] = {
        {"loss", abi::FLOAT, abi::OPTIONAL},
        {"student_gradient", abi::FLOAT, abi::OPTIONAL},
        {"token_loss", abi::FLOAT, abi::OPTIONAL},
        {"statistics", abi::FLOAT},
    };
    static constexpr InPlace IN_PLACE[] = {{0, 1}};

    explicit AnchorLossOperator(const Attributes &);

    void compute(Context &context) const;
    static void infer_shapes(ShapeInference &inference);
};

}  // namespace holdfast::ort
