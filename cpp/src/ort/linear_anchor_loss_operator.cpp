#include "ort/linear_anchor_loss_operator.hpp"

#include "ort/loss_operands.hpp"

namespace holdfast::ort {
namespace {

enum Input {
    STUDENT_HIDDEN,
    STUDENT_HEAD,
    LABELS,
    WEIGHTS,
    COEFFICIENTS,
    MODES,
    ALPHAS,
    SNAPSHOT_HIDDEN,
    SNAPSHOT_HEAD,
    REFERENCE_HIDDEN,
    REFERENCE_HEAD,
    MEAN,
    ENTROPY,
    HEAD_GRADIENT_TOTAL,
    RESET
};
enum Output { LOSS, HIDDEN_GRADIENT, HEAD_GRADIENT, TOKEN_LOSS, STATISTICS };
enum MeanInput { MEAN_REFERENCE_HIDDEN, MEAN_HEAD, MEAN_SNAPSHOT_HIDDEN, MEAN_ALPHAS };
enum MeanOutput { MEAN_ROWS, MEAN_ENTROPY };

hf_linear_logits linear_logits(const Tensor &hidden, const Tensor &head) {
    const int64_t hidden_size = head.shape[1];
    return {sizeof(hf_linear_logits), hidden.data, head.data, hidden_size, head.shape[0], hidden_size, hidden_size, HF_FLOAT, HF_FLOAT};
}

/// Student and anchor as the graph gives them.
class Models {
public:
    Models(const Context &context, int32_t form)
        : student_hidden(context.input(STUDENT_HIDDEN, {-1, -1})),
          student_head(context.input(STUDENT_HEAD, {-1, student_hidden.shape[1]})),
          student(linear_logits(student_hidden, student_head)),
          anchor{sizeof anchor, nullptr, nullptr, nullptr, nullptr, form} {
        const Tensor snapshot_head = head_or(context, SNAPSHOT_HEAD, student_head);
        anchor.snapshot = side(context, SNAPSHOT_HIDDEN, snapshot_head, snapshot_);
        anchor.reference = side(context, REFERENCE_HIDDEN, head_or(context, REFERENCE_HEAD, snapshot_head), reference_);
        anchor.mean = context.input(MEAN, student_hidden.shape).as<float>();
        anchor.entropy = context.input(ENTROPY, {count()}).as<float>();
    }
    Models(const Models &) = delete;
    Models &operator=(const Models &) = delete;

    int64_t count() const { return student_hidden.shape[0]; }

    Tensor student_hidden, student_head;
    hf_linear_logits student;
    hf_linear_anchor anchor;

private:
    static Tensor head_or(const Context &context, size_t input, const Tensor &otherwise) {
        const Tensor head = context.input(input, {-1, -1});
        return head.present ? head : otherwise;
    }

    const hf_linear_logits *side(const Context &context, size_t input, const Tensor &head, hf_linear_logits &logits) const {
        const Tensor hidden = context.input(input, {count(), head.shape[1]});
        logits = linear_logits(hidden, head);
        return hidden.present ? &logits : nullptr;
    }

    hf_linear_logits snapshot_, reference_;
};

/// The head's gradient: in memory of its own, or added to a total in that memory.
struct HeadGradient {
    float *data;
    int32_t mode;
};

HeadGradient head_gradient(const Context &context, const Dimensions &shape) {
    const Tensor total = context.input(HEAD_GRADIENT_TOTAL, shape);
    if (!total.present) {
        float *data = context.output_data<float>(HEAD_GRADIENT, shape);
        return {data, data == nullptr ? HF_GRADIENT_NONE : HF_GRADIENT_OVERWRITE};
    }
    const bool reset = context.input(RESET, {1}).is_set();
    return {context.aliased_output<float>(HEAD_GRADIENT, total), reset ? HF_GRADIENT_OVERWRITE : HF_GRADIENT_ACCUMULATE};
}

}  // namespace

template <int32_t OPERAND_TYPE>
void LinearAnchorLossOperator<OPERAND_TYPE>::compute(Context &context) const {
    const Models models(context, form_);
    const int64_t count = models.count(), hidden_size = models.student.hidden_size;
    const hf_anchor_loss_options options = loss_options(context, COEFFICIENTS, MODES);
    const hf_anchor_loss_tokens tokens{sizeof tokens, context.input(LABELS, {count}).as<int64_t>(),
                                       context.input(WEIGHTS, {count}).as<float>(), context.input(ALPHAS, {count}).as<float>()};
    float *hidden_gradient = context.output_data<float>(HIDDEN_GRADIENT, models.student_hidden.shape);
    const HeadGradient head = head_gradient(context, models.student_head.shape);
    std::vector<float> own_token_loss(static_cast<size_t>(count));
    float *token_loss = context.output_data<float>(TOKEN_LOSS, {count});
    const hf_linear_anchor_loss_outputs outputs{sizeof outputs,
                                                token_loss == nullptr ? own_token_loss.data() : token_loss,
                                                context.output_data<float>(STATISTICS, {count, HF_STATISTICS_COUNT}),
                                                hidden_gradient,
                                                head.data,
                                                hidden_size,
                                                hidden_size,
                                                HF_FLOAT,
                                                HF_FLOAT,
                                                hidden_gradient == nullptr ? HF_GRADIENT_NONE : HF_GRADIENT_OVERWRITE,
                                                head.mode};
    size_t bytes = 0;
    check(hf_linear_anchor_loss_workspace_bytes(HF_BACKEND_CPU, count, &models.student, &models.anchor, &bytes));
    const KeptMemory::Loan workspace = workspace_->borrow(bytes);
    check(hf_linear_anchor_loss(HF_BACKEND_CPU, count, &options, OPERAND_TYPE, &models.student, &models.anchor, &tokens, &outputs,
                                workspace.data(), workspace.bytes(), context.executor(), nullptr));
    if (float *loss = context.output_data<float>(LOSS, {})) {
        check(hf_anchor_loss_sum(HF_BACKEND_CPU, count, &tokens, outputs.token_loss, loss, nullptr));
    }
}

template <int32_t OPERAND_TYPE>
void LinearAnchorLossOperator<OPERAND_TYPE>::infer_shapes(ShapeInference &inference) {
    const SymbolicShape hidden = inference.input(STUDENT_HIDDEN);
    const SymbolicShape count = ShapeInference::axis(hidden, 0);
    inference.output(LOSS, ShapeInference::fixed({}));
    inference.output(HIDDEN_GRADIENT, hidden);
    inference.output(HEAD_GRADIENT, inference.input(STUDENT_HEAD));
    inference.output(TOKEN_LOSS, count);
    inference.output(STATISTICS, ShapeInference::concatenated(count, ShapeInference::fixed({HF_STATISTICS_COUNT})));
}

template <int32_t OPERAND_TYPE>
void AnchorMeanOperator<OPERAND_TYPE>::compute(Context &context) const {
    const Tensor reference_hidden = context.input(MEAN_REFERENCE_HIDDEN, {-1, -1});
    const int64_t count = reference_hidden.shape[0];
    const Tensor head = context.input(MEAN_HEAD, {-1, reference_hidden.shape[1]});
    const Tensor snapshot_hidden = context.input(MEAN_SNAPSHOT_HIDDEN, reference_hidden.shape);
    const hf_linear_logits reference = linear_logits(reference_hidden, head), snapshot = linear_logits(snapshot_hidden, head);
    const hf_linear_logits *given_snapshot = snapshot_hidden.present ? &snapshot : nullptr;
    size_t bytes = 0;
    check(hf_anchor_mean_workspace_bytes(HF_BACKEND_CPU, count, interpolation_, given_snapshot, &reference, &bytes));
    const KeptMemory::Loan workspace = workspace_->borrow(bytes);
    check(hf_anchor_mean(HF_BACKEND_CPU, count, interpolation_, temperature_, OPERAND_TYPE, given_snapshot, &reference,
                         context.input(MEAN_ALPHAS, {count}).as<float>(), context.output_data<float>(MEAN_ROWS, reference_hidden.shape),
                         context.output_data<float>(MEAN_ENTROPY, {count}), workspace.data(), workspace.bytes(), context.executor(),
                         nullptr));
}

template <int32_t OPERAND_TYPE>
void AnchorMeanOperator<OPERAND_TYPE>::infer_shapes(ShapeInference &inference) {
    const SymbolicShape hidden = inference.input(MEAN_REFERENCE_HIDDEN);
    inference.output(MEAN_ROWS, hidden);
    inference.output(MEAN_ENTROPY, ShapeInference::axis(hidden, 0));
}

template class LinearAnchorLossOperator<HF_FLOAT>;
template class LinearAnchorLossOperator<HF_BFLOAT16>;
template class AnchorMeanOperator<HF_FLOAT>;
template class AnchorMeanOperator<HF_BFLOAT16>;

}  // namespace holdfast::ort
