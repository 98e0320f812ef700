// Entry points of the loss fused with the head: checks of the arguments.
#include "head/linear_anchor_loss.hpp"

#include <cstring>

#include "core/executor.hpp"
#include "core/span.hpp"
#include "head/workspace.hpp"

namespace holdfast {
namespace {

hf_status check_absent(const char *name, const void *pointer, const char *form) {
    return pointer == nullptr ? HF_OK : fail(HF_INVALID_ARGUMENT, "%s: expected NULL with %s, got %p", name, form, pointer);
}

hf_status check_sides(const hf_linear_anchor &anchor, LinearAnchorLoss &loss, int32_t backend) {
    HF_CHECK(check_absent("anchor.mean", anchor.mean, "this form"));
    HF_CHECK(check_absent("anchor.entropy", anchor.entropy, "this form"));
    if (anchor.snapshot != nullptr) {
        HF_CHECK(check_linear_logits("anchor.snapshot", anchor.snapshot, loss.token_count, backend));
        loss.snapshot = *anchor.snapshot;
    }
    if (anchor.reference != nullptr || anchor.form != HF_ANCHOR_SIDES) {
        HF_CHECK(check_linear_logits("anchor.reference", anchor.reference, loss.token_count, backend));
        loss.reference = *anchor.reference;
    }
    if (anchor.form == HF_ANCHOR_HIDDEN) {
        return check_absent("anchor.snapshot", anchor.snapshot, "HF_ANCHOR_HIDDEN");
    }
    if (anchor.form == HF_ANCHOR_MIXED) {
        loss.snapshot = anchor.snapshot == nullptr ? loss.student : loss.snapshot;
        if (!same_head(loss.snapshot, loss.reference)) {
            return fail(HF_INVALID_ARGUMENT, "anchor.reference: expected the snapshot's head, which HF_ANCHOR_MIXED shares, got another");
        }
    }
    return HF_OK;
}

hf_status check_mean(const hf_linear_anchor &anchor, LinearAnchorLoss &loss) {
    HF_CHECK(check_absent("anchor.snapshot", anchor.snapshot, "HF_ANCHOR_MEAN"));
    HF_CHECK(check_absent("anchor.reference", anchor.reference, "HF_ANCHOR_MEAN"));
    HF_CHECK(check_array("anchor.mean", anchor.mean, loss.token_count, sizeof(float)));
    HF_CHECK(check_array("anchor.entropy", anchor.entropy, loss.token_count, sizeof(float)));
    loss.mean = anchor.mean;
    loss.entropy = anchor.entropy;
    return HF_OK;
}

/// Student and anchor; both functions have them.
hf_status check_models(int32_t backend, const hf_linear_logits *student, const hf_linear_anchor *anchor, LinearAnchorLoss &loss) {
    HF_CHECK(check_backend(backend));
    HF_CHECK(check_at_least("token_count", 0, loss.token_count));
    HF_CHECK(check_linear_logits("student", student, loss.token_count, backend));
    loss.student = *student;
    HF_CHECK(check_struct("anchor", anchor));
    HF_CHECK(check_code("anchor.form", anchor->form, HF_ANCHOR_MEAN));
    loss.form = anchor->form;
    return anchor->form == HF_ANCHOR_MEAN ? check_mean(*anchor, loss) : check_sides(*anchor, loss, backend);
}

hf_status check_options_of_form(const LinearAnchorLoss &loss) {
    if (loss.form == HF_ANCHOR_MIXED && loss.options.interpolation != HF_INTERPOLATION_LOGIT) {
        return fail(HF_INVALID_ARGUMENT, "options.interpolation: expected logit (0) with HF_ANCHOR_MIXED, got %d",
                    loss.options.interpolation);
    }
    if (loss.form == HF_ANCHOR_MEAN && loss.options.divergence != HF_FORWARD_KL) {
        return fail(HF_INVALID_ARGUMENT, "options.divergence: expected forward KL (0) with HF_ANCHOR_MEAN, got %d",
                    loss.options.divergence);
    }
    if (loss.form == HF_ANCHOR_MEAN && loss.wants_head_gradient()) {
        return fail(HF_INVALID_ARGUMENT, "outputs.head_gradient: expected none with HF_ANCHOR_MEAN, whose head is frozen, got one");
    }
    return HF_OK;
}

hf_status check_tokens_of_form(const LinearAnchorLoss &loss) {
    HF_CHECK(check_array("tokens.labels", loss.tokens.labels, loss.token_count, sizeof(int64_t)));
    HF_CHECK(check_array("tokens.weights", loss.tokens.weights, loss.token_count, sizeof(float)));
    if (loss.reads_alphas()) {
        HF_CHECK(check_array("tokens.alphas", loss.tokens.alphas, loss.token_count, sizeof(float)));
    }
    return check_tokens(loss.tokens, loss.token_count, loss.student.vocabulary_size, loss.reads_alphas());
}

hf_status check_gradient(const char *name, const void *data, int64_t rows, int64_t columns, int64_t stride, int32_t element_type) {
    HF_CHECK(check_rows(name, data, rows, columns, stride, element_type));
    return element_type == HF_FLOAT ? HF_OK
                                    : fail(HF_UNSUPPORTED, "%s: expected element type 1 (float) on the CPU, got %d", name, element_type);
}

hf_status check_outputs(const LinearAnchorLoss &loss) {
    const hf_linear_anchor_loss_outputs &out = loss.outputs;
    const hf_linear_logits &student = loss.student;
    HF_CHECK(check_code("outputs.hidden_gradient_mode", out.hidden_gradient_mode, HF_GRADIENT_ACCUMULATE));
    HF_CHECK(check_code("outputs.head_gradient_mode", out.head_gradient_mode, HF_GRADIENT_ACCUMULATE));
    if (out.hidden_gradient_mode != HF_GRADIENT_NONE) {
        HF_CHECK(check_gradient("outputs.hidden_gradient", out.hidden_gradient, loss.token_count, student.hidden_size,
                                out.hidden_gradient_stride, out.hidden_gradient_type));
    }
    if (out.head_gradient_mode != HF_GRADIENT_NONE) {
        HF_CHECK(check_gradient("outputs.head_gradient", out.head_gradient, student.vocabulary_size, student.hidden_size,
                                out.head_gradient_stride, out.head_gradient_type));
    }
    HF_CHECK(check_optional_array("outputs.token_loss", out.token_loss, sizeof(float)));
    return check_optional_array("outputs.statistics", out.statistics, sizeof(float));
}

hf_status check_overlaps(const LinearAnchorLoss &loss, const void *workspace, size_t workspace_bytes) {
    const int64_t n = loss.token_count, h = loss.student.hidden_size;
    const hf_linear_anchor_loss_outputs &out = loss.outputs;
    const NamedSpan inputs[] = {{"student.hidden", span_of_hidden(loss.student, n)},
                                {"student.head", span_of_head(loss.student)},
                                {"anchor.snapshot.hidden", span_of_hidden(loss.snapshot, n)},
                                {"anchor.snapshot.head", span_of_head(loss.snapshot)},
                                {"anchor.reference.hidden", span_of_hidden(loss.reference, n)},
                                {"anchor.reference.head", span_of_head(loss.reference)},
                                {"anchor.mean", Span(loss.mean, n, h, h, 4)},
                                {"anchor.entropy", Span(loss.entropy, n, 1, 1, 4)},
                                {"tokens.labels", Span(loss.tokens.labels, n, 1, 1, 8)},
                                {"tokens.weights", Span(loss.tokens.weights, n, 1, 1, 4)},
                                {"tokens.alphas", Span(loss.tokens.alphas, n, 1, 1, 4)}};
    const NamedSpan written[] = {
        {"outputs.token_loss", Span(out.token_loss, n, 1, 1, 4)},
        {"outputs.statistics", Span(out.statistics, n, HF_STATISTICS_COUNT, HF_STATISTICS_COUNT, 4)},
        {"outputs.hidden_gradient", loss.wants_hidden_gradient() ? Span(out.hidden_gradient, n, h, out.hidden_gradient_stride, 4) : Span()},
        {"outputs.head_gradient",
         loss.wants_head_gradient() ? Span(out.head_gradient, loss.student.vocabulary_size, h, out.head_gradient_stride, 4) : Span()},
        {"workspace", span_of_bytes(workspace, workspace_bytes)}};
    return check_disjoint(written, inputs);
}

size_t workspace_needed(int32_t backend, const LinearAnchorLoss &loss) {
    return backend == HF_BACKEND_REFERENCE ? 0 : chunked_workspace_bytes(loss);
}

}  // namespace

bool has_statistic(int32_t form, int64_t column) {
    switch (column) {
        case HF_KL_ANCHOR_STUDENT:
        case HF_STUDENT_ENTROPY:
        case HF_STUDENT_LOG_SUM_EXP:
        case HF_LABEL_LOG_PROBABILITY:
        case HF_LABEL_IS_ARGMAX:
            return true;
        default:
            return form == HF_ANCHOR_SIDES;
    }
}

void write_ignored(const LinearAnchorLoss &loss, int64_t token) {
    if (loss.outputs.token_loss != nullptr) {
        loss.outputs.token_loss[token] = 0.0f;
    }
    if (loss.outputs.statistics != nullptr) {
        std::memset(loss.outputs.statistics + token * HF_STATISTICS_COUNT, 0, HF_STATISTICS_COUNT * sizeof(float));
    }
    if (loss.wants_hidden_gradient() && loss.outputs.hidden_gradient_mode == HF_GRADIENT_OVERWRITE) {
        std::memset(loss.hidden_gradient(token), 0, static_cast<size_t>(loss.student.hidden_size) * sizeof(float));
    }
}

}  // namespace holdfast

using namespace holdfast;

extern "C" hf_status hf_linear_anchor_loss(int32_t backend, int64_t token_count, const hf_anchor_loss_options *options,
                                           int32_t operand_type, const hf_linear_logits *student, const hf_linear_anchor *anchor,
                                           const hf_anchor_loss_tokens *tokens, const hf_linear_anchor_loss_outputs *outputs,
                                           void *workspace, size_t workspace_bytes, const hf_executor *executor, void *stream) {
    LinearAnchorLoss loss{};
    loss.token_count = token_count;
    loss.operand_type = operand_type;
    HF_CHECK(check_models(backend, student, anchor, loss));
    HF_CHECK(check_no_stream(stream));
    HF_CHECK(check_options(options));
    loss.options = *options;
    HF_CHECK(check_struct("tokens", tokens));
    loss.tokens = *tokens;
    HF_CHECK(check_struct("outputs", outputs));
    loss.outputs = *outputs;
    HF_CHECK(check_executor(executor));
    HF_CHECK(check_outputs(loss));
    HF_CHECK(check_options_of_form(loss));
    HF_CHECK(check_tokens_of_form(loss));
    HF_CHECK(check_workspace(workspace, workspace_bytes, workspace_needed(backend, loss)));
    HF_CHECK(check_overlaps(loss, workspace, workspace_bytes));
    HF_CHECK(check_operand_type(operand_type, backend));
    if (backend == HF_BACKEND_REFERENCE) {
        linear_anchor_loss_reference(loss);
        return HF_OK;
    }
    return linear_anchor_loss_in_chunks(loss, workspace, executor);
}

extern "C" hf_status hf_linear_anchor_loss_workspace_bytes(int32_t backend, int64_t token_count, const hf_linear_logits *student,
                                                           const hf_linear_anchor *anchor, size_t *workspace_bytes) {
    LinearAnchorLoss loss{};
    loss.token_count = token_count;
    HF_CHECK(check_models(backend, student, anchor, loss));
    HF_CHECK(check_array("workspace_bytes", workspace_bytes, 1, sizeof(size_t)));
    *workspace_bytes = workspace_needed(backend, loss);
    return HF_OK;
}
