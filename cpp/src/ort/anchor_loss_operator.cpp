#include "ort/anchor_loss_operator.hpp"

#include "ort/loss_operands.hpp"

namespace holdfast::ort {
namespace {

enum Input { STUDENT, SNAPSHOT, REFERENCE, LABELS, WEIGHTS, ALPHAS, COEFFICIENTS, MODES };
enum Output { LOSS, STUDENT_GRADIENT, TOKEN_LOSS, STATISTICS };

hf_logits logits(const Tensor &tensor) {
    return {sizeof(hf_logits), tensor.data, tensor.present ? tensor.shape[1] : 0, tensor.present ? tensor.shape[1] : 0, HF_FLOAT};
}

}  // namespace

void AnchorLossOperator::compute(Context &context) const {
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
    const Tensor gradient = context.output(STUDENT_GRADIENT, student.shape);
    const Tensor token_loss = context.output(TOKEN_LOSS, {count});
    std::vector<float> own_token_loss(token_loss.present ? 0 : static_cast<size_t>(count));
    const hf_anchor_loss_outputs outputs{sizeof(hf_anchor_loss_outputs),
                                         token_loss.present ? static_cast<float *>(token_loss.data) : own_token_loss.data(),
                                         context.output_data<float>(STATISTICS, {count, HF_STATISTICS_COUNT}),
                                         gradient.data,
                                         student.shape[1],
                                         HF_FLOAT,
                                         gradient.present ? HF_GRADIENT_OVERWRITE : HF_GRADIENT_NONE};

    const hf_anchor_loss_options chosen = loss_options(context, COEFFICIENTS, MODES);
    const hf_logits s = logits(student), c = logits(snapshot), r = logits(reference);
    check(hf_anchor_loss(HF_BACKEND_CPU, count, &chosen, &s, snapshot.present ? &c : nullptr, reference.present ? &r : nullptr, &tokens,
                         &outputs, nullptr, 0, context.executor(), nullptr));
    if (float *loss = context.output_data<float>(LOSS, {})) {
        *loss = weighted_sum(tokens.weights, tokens.labels, outputs.token_loss, count);
    }
}

void AnchorLossOperator::infer_shapes(ShapeInference &inference) {
    const SymbolicShape student = inference.input(STUDENT);
    const SymbolicShape count = ShapeInference::axis(student, 0);
    inference.output(LOSS, ShapeInference::fixed({}));
    inference.output(STUDENT_GRADIENT, student);
    inference.output(TOKEN_LOSS, count);
    inference.output(STATISTICS, ShapeInference::concatenated(count, ShapeInference::fixed({HF_STATISTICS_COUNT})));
}

}  // namespace holdfast::ort
