// Entry point of the anchor loss: checks the arguments and hands the rows to an implementation.
#include "loss/anchor_loss.hpp"

#include <array>
#include <atomic>
#include <cmath>
#include <cstring>

#include "core/check.hpp"
#include "core/executor.hpp"
#include "core/instruction_set.hpp"
#include "core/scratch.hpp"
#include "core/span.hpp"
#include "cuda/library.hpp"
#include "simd/element.hpp"

namespace holdfast {
namespace {

hf_status check_logits(const char *name, const hf_logits *logits, int64_t rows) {
    HF_CHECK(check_struct(name, logits));
    if (logits->vocabulary_size < 1) {
        return fail(HF_INVALID_ARGUMENT, "%s.vocabulary_size: expected >= 1, got %lld", name, number(logits->vocabulary_size));
    }
    return check_rows(name, logits->data, rows, logits->vocabulary_size, logits->row_stride, logits->element_type);
}

Span span_of(const hf_logits &logits, int64_t rows) {
    return Span(logits.data, rows, logits.vocabulary_size, logits.row_stride, element_bytes(logits.element_type));
}

std::array<NamedSpan, 6> inputs_of(const AnchorLoss &loss) {
    const int64_t n = loss.token_count;
    return {{{"student", span_of(loss.student, n)},
             {"snapshot", loss.has_snapshot() ? span_of(loss.snapshot, n) : Span()},
             {"reference", loss.has_reference() ? span_of(loss.reference, n) : Span()},
             {"tokens.labels", Span(loss.tokens.labels, n, 1, 1, 8)},
             {"tokens.weights", Span(loss.tokens.weights, n, 1, 1, 4)},
             {"tokens.alphas", Span(loss.tokens.alphas, n, 1, 1, 4)}}};
}

/// The gradient comes last.
std::array<NamedSpan, 3> outputs_of(const AnchorLoss &loss) {
    const int64_t n = loss.token_count;
    const hf_anchor_loss_outputs &out = loss.outputs;
    const Span gradient(out.student_gradient, n, loss.student.vocabulary_size, out.gradient_stride, element_bytes(out.gradient_type));
    return {{{"outputs.token_loss", Span(out.token_loss, n, 1, 1, 4)},
             {"outputs.statistics", Span(out.statistics, n, HF_STATISTICS_COUNT, HF_STATISTICS_COUNT, 4)},
             {"outputs.student_gradient", loss.wants_gradient() ? gradient : Span()}}};
}

/// Whether the gradient takes the place of the student's logits, row by row.
bool is_in_place(const AnchorLoss &loss) {
    const hf_anchor_loss_outputs &out = loss.outputs;
    return loss.wants_gradient() && out.student_gradient == loss.student.data && out.gradient_mode == HF_GRADIENT_OVERWRITE &&
           out.gradient_stride == loss.student.row_stride && out.gradient_type == loss.student.element_type;
}

hf_status check_overlaps(const AnchorLoss &loss) {
    const auto outputs = outputs_of(loss);
    const NamedSpan &gradient = outputs.back();
    for (const NamedSpan &input : inputs_of(loss)) {
        HF_CHECK(check_disjoint(outputs[0], input));
        HF_CHECK(check_disjoint(outputs[1], input));
        if (!(is_in_place(loss) && input.span.begin == gradient.span.begin)) {
            HF_CHECK(check_disjoint(gradient, input));
        }
    }
    HF_CHECK(check_disjoint(outputs[0], outputs[1]));
    HF_CHECK(check_disjoint(gradient, outputs[0]));
    return check_disjoint(gradient, outputs[1]);
}

hf_status check_outputs(const AnchorLoss &loss) {
    const hf_anchor_loss_outputs &out = loss.outputs;
    HF_CHECK(check_code("outputs.gradient_mode", out.gradient_mode, HF_GRADIENT_ACCUMULATE));
    if (out.gradient_mode != HF_GRADIENT_NONE) {
        HF_CHECK(check_rows("outputs.student_gradient", out.student_gradient, loss.token_count, loss.student.vocabulary_size,
                            out.gradient_stride, out.gradient_type));
    }
    HF_CHECK(check_optional_array("outputs.token_loss", out.token_loss, sizeof(float)));
    return check_optional_array("outputs.statistics", out.statistics, sizeof(float));
}

bool same_rows(const hf_logits &a, const hf_logits &b) {
    return a.data == b.data && a.vocabulary_size == b.vocabulary_size && a.row_stride == b.row_stride && a.element_type == b.element_type;
}

/// `cuda` stays NULL for the CPU.
hf_status check_place(int32_t backend, const void *stream, const CudaBackend *&cuda) {
    if (backend == HF_BACKEND_CUDA) {
        return find_cuda_backend(cuda);
    }
    HF_CHECK(check_backend(backend));
    return check_no_stream(stream);
}

/// Kernels may load and store whole vectors.
constexpr uintptr_t WORKSPACE_ALIGNMENT = 16;

hf_status check_workspace(const AnchorLoss &loss, const void *workspace, size_t given, size_t needed) {
    if (needed == 0) {
        return HF_OK;
    }
    if (given < needed) {
        return fail(HF_INVALID_ARGUMENT, "workspace_bytes: expected at least %zu, got %zu", needed, given);
    }
    if (workspace == nullptr || reinterpret_cast<uintptr_t>(workspace) % WORKSPACE_ALIGNMENT != 0) {
        return fail(HF_INVALID_ARGUMENT, "workspace: expected a pointer aligned to 16 bytes, got %p", workspace);
    }
    const NamedSpan scratch{"workspace", span_of_bytes(workspace, needed)};
    for (const NamedSpan &input : inputs_of(loss)) {
        HF_CHECK(check_disjoint(scratch, input));
    }
    for (const NamedSpan &output : outputs_of(loss)) {
        HF_CHECK(check_disjoint(scratch, output));
    }
    return HF_OK;
}

hf_status run_on_cuda(const CudaBackend &cuda, const AnchorLoss &loss, void *workspace, size_t workspace_bytes, void *stream) {
    if (loss.token_count == 0) {
        return HF_OK;
    }
    HF_CHECK(check_workspace(loss, workspace, workspace_bytes, cuda.anchor_loss_workspace_bytes(loss)));
    return status_of(cuda.anchor_loss(loss, workspace, workspace_bytes, stream));
}

AnchorLossRow select_row(int32_t backend) {
    if (backend == HF_BACKEND_REFERENCE) {
        return anchor_loss_reference;
    }
    return select_variant<AnchorLossRow>(baseline::anchor_loss_row, avx2::anchor_loss_row, avx512::anchor_loss_row);
}

/// Logits per task below which handing out tasks costs more than it gains.
constexpr int64_t LOGITS_PER_TASK = 32768;

hf_status check_sides(int64_t token_count, const hf_logits *student, const hf_logits *snapshot, const hf_logits *reference) {
    HF_CHECK(check_at_least("token_count", 0, token_count));
    HF_CHECK(check_logits("student", student, token_count));
    if (snapshot != nullptr) {
        HF_CHECK(check_logits("snapshot", snapshot, token_count));
    }
    return reference == nullptr ? HF_OK : check_logits("reference", reference, token_count);
}

AnchorLoss loss_of(int64_t token_count, const hf_logits &student, const hf_logits *snapshot, const hf_logits *reference) {
    AnchorLoss loss{token_count, {}, student, {}, {}, {}, {}};
    if (snapshot != nullptr && !same_rows(*snapshot, student)) {
        loss.snapshot = *snapshot;
    }
    if (reference != nullptr) {
        loss.reference = *reference;
    }
    return loss;
}

hf_status check_token_arrays(int64_t token_count, const hf_anchor_loss_tokens *tokens) {
    HF_CHECK(check_struct("tokens", tokens));
    HF_CHECK(check_array("tokens.labels", tokens->labels, token_count, sizeof(int64_t)));
    return check_array("tokens.weights", tokens->weights, token_count, sizeof(float));
}

}  // namespace

hf_status check_rows(const char *name, const void *data, int64_t rows, int64_t columns, int64_t stride, int32_t element_type) {
    if (element_type != HF_FLOAT && element_type != HF_FLOAT16 && element_type != HF_BFLOAT16) {
        return fail(HF_INVALID_ARGUMENT, "%s: expected element type 1 (float), 10 (float16) or 16 (bfloat16), got %d", name, element_type);
    }
    if (stride < columns) {
        return fail(HF_INVALID_ARGUMENT, "%s: expected a row stride >= %lld, got %lld", name, number(columns), number(stride));
    }
    int64_t bytes;
    if (__builtin_mul_overflow(rows, stride, &bytes) || __builtin_mul_overflow(bytes, element_bytes(element_type), &bytes)) {
        return fail(HF_INVALID_ARGUMENT, "%s: expected a size below 2^63 bytes, got %lld rows of %lld elements", name, number(rows),
                    number(stride));
    }
    return check_array(name, data, rows, static_cast<size_t>(element_bytes(element_type)));
}

hf_status check_options(const hf_anchor_loss_options *options) {
    HF_CHECK(check_struct("options", options));
    HF_CHECK(check_code("options.divergence", options->divergence, HF_JSD));
    HF_CHECK(check_code("options.interpolation", options->interpolation, HF_INTERPOLATION_PROBABILITY));
    HF_CHECK(check_code("options.label_weighting", options->label_weighting, HF_LABEL_WEIGHTING_DFT));
    HF_CHECK(check_positive("options.temperature", static_cast<double>(options->temperature)));
    HF_CHECK(check_not_negative("options.kd_weight", static_cast<double>(options->kd_weight)));
    HF_CHECK(check_not_negative("options.ce_weight", static_cast<double>(options->ce_weight)));
    if (options->divergence == HF_JSD && options->kd_weight > 0.0f && !(options->beta > 0.0f && options->beta < 1.0f)) {
        return fail(HF_INVALID_ARGUMENT, "options.beta: expected (0, 1), got %g", static_cast<double>(options->beta));
    }
    return HF_OK;
}

hf_status check_tokens(const hf_anchor_loss_tokens &tokens, int64_t token_count, int64_t vocabulary_size, bool reads_alphas) {
    for (int64_t i = 0; i < token_count; ++i) {
        const int64_t label = tokens.labels[i];
        if (label != HF_IGNORE_INDEX && (label < 0 || label >= vocabulary_size)) {
            return fail(HF_INVALID_ARGUMENT, "tokens.labels[%lld]: expected [0, %lld) or -100, got %lld", number(i),
                        number(vocabulary_size), number(label));
        }
        if (!std::isfinite(tokens.weights[i])) {
            return fail(HF_INVALID_ARGUMENT, "tokens.weights[%lld]: expected a finite number, got %g", number(i),
                        static_cast<double>(tokens.weights[i]));
        }
        if (reads_alphas && !(tokens.alphas[i] >= 0.0f && tokens.alphas[i] <= 1.0f)) {
            return fail(HF_INVALID_ARGUMENT, "tokens.alphas[%lld]: expected [0, 1], got %g", number(i),
                        static_cast<double>(tokens.alphas[i]));
        }
    }
    return HF_OK;
}

hf_status anchor_loss_rows(int32_t backend, const AnchorLoss &loss, const hf_executor *executor) {
    const AnchorLossRow row = select_row(backend);
    const int64_t rows_per_task = LOGITS_PER_TASK / loss.student.vocabulary_size + 1;
    const size_t scratch_bytes = row_scratch_bytes(loss.widest_vocabulary());
    std::atomic<bool> exhausted{false};
    parallel_ranges(executor, loss.token_count, rows_per_task, [&](int64_t begin, int64_t end) {
        const Scratch scratch(scratch_bytes);
        if (scratch.data() == nullptr) {
            exhausted = true;
            return;
        }
        for (int64_t token = begin; token < end; ++token) {
            if (loss.is_ignored(token)) {
                write_ignored(loss, token);
            } else {
                row(loss, token, scratch.data());
            }
        }
    });
    return exhausted ? fail(HF_OUT_OF_MEMORY, "anchor loss: no memory for %zu bytes per thread", scratch_bytes) : HF_OK;
}

void write_ignored(const AnchorLoss &loss, int64_t token) {
    if (loss.outputs.token_loss != nullptr) {
        loss.outputs.token_loss[token] = 0.0f;
    }
    if (loss.outputs.statistics != nullptr) {
        std::memset(loss.outputs.statistics + token * HF_STATISTICS_COUNT, 0, HF_STATISTICS_COUNT * sizeof(float));
    }
    if (loss.wants_gradient() && loss.outputs.gradient_mode == HF_GRADIENT_OVERWRITE) {
        const int64_t bytes = element_bytes(loss.outputs.gradient_type);
        std::memset(static_cast<char *>(loss.outputs.student_gradient) + token * loss.outputs.gradient_stride * bytes, 0,
                    static_cast<size_t>(loss.student.vocabulary_size * bytes));
    }
}

}  // namespace holdfast

using namespace holdfast;

extern "C" hf_status hf_anchor_loss(int32_t backend, int64_t token_count, const hf_anchor_loss_options *options, const hf_logits *student,
                                    const hf_logits *snapshot, const hf_logits *reference, const hf_anchor_loss_tokens *tokens,
                                    const hf_anchor_loss_outputs *outputs, void *workspace, size_t workspace_bytes,
                                    const hf_executor *executor, void *stream) {
    const CudaBackend *cuda = nullptr;
    HF_CHECK(check_place(backend, stream, cuda));
    HF_CHECK(check_options(options));
    HF_CHECK(check_sides(token_count, student, snapshot, reference));
    HF_CHECK(check_token_arrays(token_count, tokens));
    if (reference != nullptr) {
        HF_CHECK(check_array("tokens.alphas", tokens->alphas, token_count, sizeof(float)));
    }
    HF_CHECK(check_struct("outputs", outputs));
    HF_CHECK(check_executor(executor));
    AnchorLoss loss = loss_of(token_count, *student, snapshot, reference);
    loss.options = *options;
    loss.tokens = *tokens;
    loss.outputs = *outputs;
    HF_CHECK(check_outputs(loss));
    HF_CHECK(check_overlaps(loss));
    if (cuda != nullptr) {
        return run_on_cuda(*cuda, loss, workspace, workspace_bytes, stream);
    }
    HF_CHECK(check_tokens(loss.tokens, token_count, loss.student.vocabulary_size, loss.has_reference()));
    return anchor_loss_rows(backend, loss, executor);
}

extern "C" hf_status hf_anchor_loss_workspace_bytes(int32_t backend, int64_t token_count, const hf_logits *student,
                                                    const hf_logits *snapshot, const hf_logits *reference, size_t *workspace_bytes) {
    const CudaBackend *cuda = nullptr;
    HF_CHECK(check_place(backend, nullptr, cuda));
    HF_CHECK(check_sides(token_count, student, snapshot, reference));
    HF_CHECK(check_array("workspace_bytes", workspace_bytes, 1, sizeof(size_t)));
    *workspace_bytes = cuda == nullptr ? 0 : cuda->anchor_loss_workspace_bytes(loss_of(token_count, *student, snapshot, reference));
    return HF_OK;
}

extern "C" hf_status hf_anchor_loss_sum(int32_t backend, int64_t token_count, const hf_anchor_loss_tokens *tokens, const float *token_loss,
                                        float *sum, void *stream) {
    const CudaBackend *cuda = nullptr;
    HF_CHECK(check_place(backend, stream, cuda));
    HF_CHECK(check_at_least("token_count", 0, token_count));
    HF_CHECK(check_token_arrays(token_count, tokens));
    HF_CHECK(check_array("token_loss", token_loss, token_count, sizeof(float)));
    HF_CHECK(check_array("sum", sum, 1, sizeof(float)));
    if (cuda != nullptr) {
        return status_of(cuda->anchor_loss_sum(token_count, *tokens, token_loss, sum, stream));
    }
    AnchorLoss loss{};
    loss.tokens = *tokens;
    double total = 0;
    for (int64_t i = 0; i < token_count; ++i) {
        total += loss.is_ignored(i) ? 0.0 : static_cast<double>(tokens->weights[i]) * static_cast<double>(token_loss[i]);
    }
    *sum = static_cast<float>(total);
    return HF_OK;
}
