// One token of the anchor loss, vectorised. Compiled once per instruction set.
//
// The row is walked in chunks that stay in the first-level cache. One walk gives the log-sum-exps and most statistics (the running
// maximum of a row is raised chunk by chunk), one more gives the gradient. Reverse KL and JSD need their value before the gradient and
// walk once more. Every walk after the first finds the row in a cache unless it is very long.
//
// Nothing is computed as a difference of probabilities: with x = log(p / q) the kernel forms p - q = q expm1(x), so that a student
// close to its anchor gets an accurate gradient and a student equal to its anchor gets exactly 0.
#include "loss/first_walk.inc.hpp"
#include "loss/gradient_walk.inc.hpp"

namespace holdfast::HF_VARIANT {
namespace {

/// KL(a || b) = E_a[a - b] / temperature - (log-sum-exp of a - log-sum-exp of b)
double kl(const Token &t, double moment, const Side &a, const Side &b) {
    const double maxima = (static_cast<double>(a.maximum) - b.maximum) * t.inverse_temperature;
    return not_negative(moment / a.mass * t.inverse_temperature - maxima - (a.log_mass() - b.log_mass()));
}

struct CrossEntropy {
    double loss;
    double omega;
};

CrossEntropy cross_entropy(const Token &t, double log_probability) {
    const double omega = t.loss.options.label_weighting == HF_LABEL_WEIGHTING_DFT ? std::exp(log_probability) : 1.0;
    return {omega == 0 ? 0.0 : -omega * log_probability, omega};
}

template <class Anchor>
Loss distil(const Token &t, GradientScale scale, const LabelColumn &label) {
    const bool gradient = t.loss.wants_gradient();
    switch (t.loss.options.divergence) {
        case HF_REVERSE_KL: {
            const Loss loss = value_walk<Anchor, HF_REVERSE_KL>(t);
            scale.mean_log_ratio = static_cast<float>(loss.mean_log_ratio);
            if (gradient && __builtin_isinf(loss.divergence)) {
                cross_entropy_walk(t, scale.ce, label);
            } else if (gradient) {
                gradient_walk<Anchor, HF_REVERSE_KL>(t, scale, label);
            }
            return loss;
        }
        case HF_JSD: {
            const Loss loss = value_walk<Anchor, HF_JSD>(t);
            scale.mean_log_ratio = static_cast<float>(loss.mean_log_ratio);
            if (gradient) {
                gradient_walk<Anchor, HF_JSD>(t, scale, label);
            }
            return loss;
        }
        default:
            return gradient ? gradient_walk<Anchor, HF_FORWARD_KL>(t, scale, label) : value_walk<Anchor, HF_FORWARD_KL>(t);
    }
}

/// KL(c || q), which a logit anchor has for free: z_q - c = alpha (r - c).
double kl_snapshot_anchor(const Token &t, const Loss &loss) {
    if (t.anchor_kind() == AnchorKind::PROBABILITIES) {
        return loss.kl_snapshot_anchor;
    }
    const double moment = t.alpha == 0.0f ? 0.0 : t.alpha * t.moments.snapshot_reference;
    return kl(t, moment, t.c, t.q);
}

/// Whether the label is the first column that has the student's highest logit.
bool is_argmax(const Token &t, int64_t label, float label_logit) {
    if (label_logit != t.s_highest_logit) {
        return false;
    }
    const float highest = t.student.at(label);
    for (int64_t v = t.s_highest; v < label; ++v) {
        if (t.student.at(v) >= highest) {
            return false;
        }
    }
    return true;
}

void write_statistics(const Token &t, const Loss &loss, bool label_is_argmax, double label_log_probability) {
    if (t.loss.outputs.statistics == nullptr) {
        return;
    }
    double column[HF_STATISTICS_COUNT] = {};
    if (t.loss.has_reference()) {
        column[HF_KL_ANCHOR_STUDENT] = loss.kl_anchor_student;
        column[HF_KL_SNAPSHOT_ANCHOR] = kl_snapshot_anchor(t, loss);
        column[HF_KL_SNAPSHOT_REFERENCE] = kl(t, t.moments.snapshot_reference, t.c, t.r);
        column[HF_KL_STUDENT_REFERENCE] = kl(t, t.moments.student_reference, t.s, t.r);
        column[HF_REFERENCE_LOG_SUM_EXP] = t.log_sum_exp(t.r, t.r_shift);
    }
    if (!t.snapshot_is_student) {
        column[HF_KL_SNAPSHOT_STUDENT] = kl(t, t.moments.snapshot_student, t.c, t.s);
    }
    if (!t.snapshot_is_student || t.loss.has_reference()) {
        column[HF_SNAPSHOT_LOG_SUM_EXP] = t.log_sum_exp(t.c, t.c_shift);
    }
    column[HF_STUDENT_ENTROPY] = not_negative(t.s.log_mass() - t.moments.student_entropy / t.s.mass);
    column[HF_STUDENT_LOG_SUM_EXP] = t.log_sum_exp(t.s, t.s_shift);
    column[HF_LABEL_LOG_PROBABILITY] = label_log_probability;
    column[HF_LABEL_IS_ARGMAX] = label_is_argmax ? 1 : 0;
    float *row = t.loss.outputs.statistics + t.index * HF_STATISTICS_COUNT;
    for (int64_t i = 0; i < HF_STATISTICS_COUNT; ++i) {
        row[i] = static_cast<float>(column[i]);
    }
}

/// Without a snapshot its sums are the student's; without a mixture of logits the anchor's are those of one side.
void share_sides(Token &t) {
    if (t.snapshot_is_student) {
        t.c = t.s;
        t.c_shift = t.s_shift;
        t.moments.snapshot_reference = t.moments.student_reference;
    }
    if (t.anchor_kind() != AnchorKind::LOGITS) {
        t.q = t.alpha == 1.0f ? t.r : t.c;
    }
}

}  // namespace

RowSummary softmax_row(float *row, int64_t width, float temperature, int64_t label, void *scratch) {
    AnchorLoss loss{};
    loss.token_count = 1;
    loss.options.temperature = temperature;
    loss.student = {sizeof loss.student, row, width, width, HF_FLOAT};
    loss.outputs.student_gradient = row;
    loss.outputs.gradient_stride = width;
    loss.outputs.gradient_type = HF_FLOAT;
    loss.outputs.gradient_mode = HF_GRADIENT_OVERWRITE;
    Token t(loss, 0, scratch);
    if (!first_walk_of(t)) {
        for (int64_t v = 0; v < width; ++v) {
            row[v] = __builtin_nanf("");
        }
        return {__builtin_nan(""), __builtin_nan(""), __builtin_nan(""), false, t.inverse_temperature};
    }
    const float label_logit = t.student.at(label) - t.s_shift;
    const double log_probability = (static_cast<double>(label_logit) - t.s.maximum) * t.inverse_temperature - t.s.log_mass();
    const RowSummary summary{t.log_sum_exp(t.s, t.s_shift), not_negative(t.s.log_mass() - t.moments.student_entropy / t.s.mass),
                             log_probability, is_argmax(t, label, label_logit), t.inverse_temperature};
    constexpr LabelColumn NO_COLUMN{-1, 0, false};
    cross_entropy_walk(t, 1.0f, NO_COLUMN);
    return summary;
}

double mix_rows(float *a, const float *b, int64_t width, float weight) {
    Scratch scratch;
    double entropy = 0;
    for (int64_t begin = 0; begin < width; begin += CHUNK) {
        const int64_t count = width - begin < CHUNK ? width - begin : CHUNK;
        std::memset(&scratch, 0, sizeof scratch);
        for (int64_t v = 0; v < count; ++v) {
            scratch.values[v] = a[begin + v] + weight * (b[begin + v] - a[begin + v]);
        }
        std::memcpy(a + begin, scratch.values, static_cast<size_t>(count) * sizeof(float));
        Sum sum;
        for (int64_t block = 0; block < CHUNK; block += LANES * BLOCK) {
            for (int64_t v = block; v < block + LANES * BLOCK; v += LANES) {
                const F q = load(scratch.values + v);
                // The logarithm is one of normal numbers; a smaller q counts nothing.
                sum.add(q * log(max(q, broadcast(__FLT_MIN__))));
            }
            sum.flush();
        }
        entropy -= sum.value();
    }
    return entropy;
}

void anchor_loss_row(const AnchorLoss &loss, int64_t token, void *scratch) {
    Token t(loss, token, scratch);
    if (!first_walk_of(t)) {
        anchor_loss_reference(loss, token);
        return;
    }
    share_sides(t);
    // The gradient may overwrite the student's row, so the label's place in it is read before.
    const float label_logit = t.student.at(loss.tokens.labels[token]) - t.s_shift;
    const bool label_is_argmax = loss.outputs.statistics != nullptr && is_argmax(t, loss.tokens.labels[token], label_logit);
    const double label_log_probability = (static_cast<double>(label_logit) - t.s.maximum) * t.inverse_temperature - t.s.log_mass();

    const hf_anchor_loss_options &options = loss.options;
    const bool distils = loss.has_reference() && (options.kd_weight > 0.0f || loss.outputs.statistics != nullptr);
    const double scale = static_cast<double>(loss.tokens.weights[token]) / options.temperature;
    const CrossEntropy ce = options.ce_weight > 0.0f ? cross_entropy(t, label_log_probability) : CrossEntropy{0, 0};
    const double ce_scale = scale * options.ce_weight * ce.omega;
    const bool ce_alone = !loss.has_reference() || options.kd_weight == 0.0f;
    const LabelColumn label = ce_alone ? LabelColumn{loss.tokens.labels[token], ce_scale * std::expm1(label_log_probability), true}
                                       : LabelColumn{loss.tokens.labels[token], -ce_scale, false};

    Loss result;
    if (distils) {
        const GradientScale gradient{static_cast<float>(scale * options.kd_weight), static_cast<float>(ce_scale), 0.0f, options.beta};
        result = t.anchor_kind() == AnchorKind::PROBABILITIES ? distil<ProbabilityAnchor>(t, gradient, label)
                                                              : distil<LogitAnchor>(t, gradient, label);
    } else if (loss.wants_gradient()) {
        cross_entropy_walk(t, static_cast<float>(ce_scale), label);
    }
    write_statistics(t, result, label_is_argmax, label_log_probability);
    if (loss.outputs.token_loss != nullptr) {
        const double divergence = options.kd_weight > 0.0f ? options.kd_weight * result.divergence : 0.0;
        const double hard = options.ce_weight > 0.0f ? options.ce_weight * ce.loss : 0.0;
        loss.outputs.token_loss[token] = static_cast<float>(divergence + hard);
    }
}

}  // namespace holdfast::HF_VARIANT
