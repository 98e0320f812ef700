#include "ort/anchor_loss_operator.hpp"

#include "holdfast/cuda.h"
#include "ort/loss_operands.hpp"

namespace holdfast::ort {
namespace {

enum Input { STUDENT, SNAPSHOT, REFERENCE, LABELS, WEIGHTS, ALPHAS, COEFFICIENTS, MODES };
enum Output { LOSS, STUDENT_GRADIENT, TOKEN_LOSS, STATISTICS };

hf_logits logits(const Tensor &tensor) {
    return {sizeof(hf_logits), tensor.data, tensor.present ? tensor.shape[1] : 0, tensor.present ? tensor.shape[1] : 0, HF_FLOAT};
}

}  // namespace

template <int32_t BACKEND>
AnchorLossOperator<BACKEND>::AnchorLossOperator(const Attributes &) {
    if (BACKEND == HF_BACKEND_CUDA && hf_cuda_library() == nullptr) {
        throw Refusal("the CUDA kernels are not open; open libholdfast_cuda.so with hf_open_cuda_library before the session");
    }
}

template <int32_t BACKEND>
void AnchorLossOperator<BACKEND>::compute(Context &context) const {
    const Tensor student = context.input(STUDENT, {-1, -1});
    const int64_t count = student.shape[0];
    const Tensor snapshot = context.input(SNAPSHOT, {count, -1});
    const Tensor reference = context.input(REFERENCE, {count, -1});
    const Tensor alphas = context.input(ALPHAS, {count});
    if (reference.present && !alphas.present) {
        throw Refusal("alphas: expected shape [" + std::to_string(count) + "] beside reference_logits, got none");
    }
    const hf_anchor_loss_tokens tokens{sizeof(hf_anchor_loss_tokens), context.input(LABELS, {count}).as<int64_t>(),
                                       context.input(WEIGHTS, {count}).as<float>(), alphas.as<float>()};
    float *const loss = context.output_data<float>(LOSS, {});
    const Tensor gradient = context.output(STUDENT_GRADIENT, student.shape);
    float *token_loss = context.output_data<float>(TOKEN_LOSS, {count});
    const bool lacks_summands = loss != nullptr && token_loss == nullptr;
    const Scratch summands(context, STUDENT, lacks_summands ? static_cast<size_t>(count) * sizeof(float) : 0);
    token_loss = lacks_summands ? static_cast<float *>(summands.data()) : token_loss;
    const hf_anchor_loss_outputs outputs{sizeof(hf_anchor_loss_outputs),
                                         token_loss,
                                         context.output_data<float>(STATISTICS, {count, HF_STATISTICS_COUNT}),
                                         gradient.data,
                                         student.shape[1],
                                         HF_FLOAT,
                                         gradient.present ? HF_GRADIENT_OVERWRITE : HF_GRADIENT_NONE};

    const hf_anchor_loss_options chosen = loss_options(context, COEFFICIENTS, MODES);
    const hf_logits s = logits(student), c = logits(snapshot), r = logits(reference);
    const hf_logits *const cs = snapshot.present ? &c : nullptr, *const rs = reference.present ? &r : nullptr;
    size_t workspace_bytes = 0;
    check(hf_anchor_loss_workspace_bytes(BACKEND, count, &s, cs, rs, &workspace_bytes));
    const Scratch workspace(context, STUDENT, workspace_bytes);
    check(hf_anchor_loss(BACKEND, count, &chosen, &s, cs, rs, &tokens, &outputs, workspace.data(), workspace_bytes, context.executor(),
                         context.stream()));
    if (loss != nullptr) {
        check(hf_anchor_loss_sum(BACKEND, count, &tokens, token_loss, loss, context.stream()));
    }
}

template <int32_t BACKEND>
void AnchorLossOperator<BACKEND>::infer_shapes(ShapeInference &inference) {
    const SymbolicShape student = inference.input(STUDENT);
    const SymbolicShape count = ShapeInference::axis(student, 0);
    inference.output(LOSS, ShapeInference::fixed({}));
    inference.output(STUDENT_GRADIENT, student);
    inference.output(TOKEN_LOSS, count);
    inference.output(STATISTICS, ShapeInference::concatenated(count, ShapeInference::fixed({HF_STATISTICS_COUNT})));
}

template class AnchorLossOperator<HF_BACKEND_CPU>;
template class AnchorLossOperator<HF_BACKEND_CUDA>;

}  // namespace holdfast::ort
