// The fused loss as plainly as possible: logits, gradients and sums over tokens in double precision, whatever the type of operands.
#include <cmath>
#include <vector>

#include "head/linear_anchor_loss.hpp"
#include "head/linear_reference.hpp"
#include "loss/anchor_loss_reference.hpp"

namespace holdfast {
namespace {

using Doubles = std::vector<double>;

/// Loss, statistics and the gradient by the student's logits of one token.
ReferenceLoss loss_of_sides(const LinearAnchorLoss &loss, int64_t token) {
    int64_t width = loss.student.vocabulary_size;
    for (const hf_linear_logits *side : {&loss.snapshot, &loss.reference}) {
        width = side->vocabulary_size > width ? side->vocabulary_size : width;
    }
    ReferenceToken rows{linear_row(loss.student, token, width), {}, {}, static_cast<size_t>(loss.tokens.labels[token]), 1.0};
    if (loss.has_reference()) {
        rows.reference = linear_row(loss.reference, token, width);
        rows.alpha = loss.reads_alphas() ? loss.tokens.alphas[token] : 1.0;
    }
    if (loss.has_snapshot()) {
        rows.snapshot = linear_row(loss.snapshot, token, width);
    }
    return reference_loss(loss.options, rows);
}

/// The same of the student alone, to which the divergence is added by the anchor's mean; the gradient lacks kd * -q / temperature.
ReferenceLoss loss_of_mean(const LinearAnchorLoss &loss, int64_t token) {
    const hf_anchor_loss_options &options = loss.options;
    const size_t label = static_cast<size_t>(loss.tokens.labels[token]);
    const Doubles logits = linear_row(loss.student, token, loss.student.vocabulary_size);
    ReferenceLoss result = reference_loss(options, {logits, {}, {}, label, 0.0});
    const Distribution student = softmax(logits, options.temperature);
    double expected_logit = 0;
    for (int64_t i = 0; i < loss.student.hidden_size; ++i) {
        expected_logit += loss.mean[token * loss.student.hidden_size + i] * hidden_at(loss.student, token, i);
    }
    const double kl = student.log_sum_exp - expected_logit / options.temperature - loss.entropy[token];
    result.statistics[HF_KL_ANCHOR_STUDENT] = kl < 0 ? 0 : kl;
    if (options.kd_weight > 0) {
        result.loss += options.kd_weight * result.statistics[HF_KL_ANCHOR_STUDENT];
    }
    for (size_t v = 0; v < logits.size(); ++v) {
        result.gradient[v] += options.kd_weight * student.probability(v) / options.temperature;
    }
    return result;
}

void write_hidden_gradient(const LinearAnchorLoss &loss, int64_t token, const Doubles &by_logits) {
    for (int64_t i = 0; i < loss.student.hidden_size; ++i) {
        double sum = 0;
        for (int64_t v = 0; v < loss.student.vocabulary_size; ++v) {
            sum += by_logits[static_cast<size_t>(v)] * head_at(loss.student, v, i);
        }
        if (loss.form == HF_ANCHOR_MEAN) {
            sum -= loss.options.kd_weight * static_cast<double>(loss.mean[token * loss.student.hidden_size + i]) / loss.options.temperature;
        }
        float &target = loss.hidden_gradient(token)[i];
        const double before = loss.outputs.hidden_gradient_mode == HF_GRADIENT_ACCUMULATE ? target : 0.0;
        target = static_cast<float>(before + loss.tokens.weights[token] * sum);
    }
}

void add_head_gradient(const LinearAnchorLoss &loss, int64_t token, const Doubles &by_logits, Doubles &total) {
    for (int64_t v = 0; v < loss.student.vocabulary_size; ++v) {
        for (int64_t i = 0; i < loss.student.hidden_size; ++i) {
            total[static_cast<size_t>(v * loss.student.hidden_size + i)] +=
                loss.tokens.weights[token] * by_logits[static_cast<size_t>(v)] * hidden_at(loss.student, token, i);
        }
    }
}

void write_head_gradient(const LinearAnchorLoss &loss, const Doubles &total) {
    for (int64_t v = 0; v < loss.student.vocabulary_size; ++v) {
        for (int64_t i = 0; i < loss.student.hidden_size; ++i) {
            float &target = loss.head_gradient(v)[i];
            const double before = loss.outputs.head_gradient_mode == HF_GRADIENT_ACCUMULATE ? target : 0.0;
            target = static_cast<float>(before + total[static_cast<size_t>(v * loss.student.hidden_size + i)]);
        }
    }
}

void write_values(const LinearAnchorLoss &loss, int64_t token, const ReferenceLoss &result) {
    if (loss.outputs.token_loss != nullptr) {
        loss.outputs.token_loss[token] = static_cast<float>(result.loss);
    }
    for (int64_t column = 0; loss.outputs.statistics != nullptr && column < HF_STATISTICS_COUNT; ++column) {
        loss.outputs.statistics[token * HF_STATISTICS_COUNT + column] =
            has_statistic(loss.form, column) ? static_cast<float>(result.statistics[column]) : 0.0f;
    }
}

}  // namespace

Doubles linear_row(const hf_linear_logits &logits, int64_t token, int64_t width) {
    Doubles row(static_cast<size_t>(width), -HUGE_VAL);
    for (int64_t v = 0; v < logits.vocabulary_size; ++v) {
        double sum = 0;
        for (int64_t i = 0; i < logits.hidden_size; ++i) {
            sum += hidden_at(logits, token, i) * head_at(logits, v, i);
        }
        row[static_cast<size_t>(v)] = sum;
    }
    return row;
}

void linear_anchor_loss_reference(const LinearAnchorLoss &loss) {
    Doubles total(loss.wants_head_gradient() ? static_cast<size_t>(loss.student.vocabulary_size * loss.student.hidden_size) : 0);
    for (int64_t token = 0; token < loss.token_count; ++token) {
        if (loss.is_ignored(token)) {
            write_ignored(loss, token);
            continue;
        }
        const ReferenceLoss result = loss.form == HF_ANCHOR_MEAN ? loss_of_mean(loss, token) : loss_of_sides(loss, token);
        write_values(loss, token, result);
        if (loss.wants_hidden_gradient()) {
            write_hidden_gradient(loss, token, result.gradient);
        }
        if (loss.wants_head_gradient()) {
            add_head_gradient(loss, token, result.gradient, total);
        }
    }
    if (loss.wants_head_gradient()) {
        write_head_gradient(loss, total);
    }
}

}  // namespace holdfast
