// What a cluster knows of its token beside the columns, and the results that are made of it. All of it lies in shared memory and is
// computed, in double, by single threads or lanes of each block's first warp.
#pragma once

#include <cmath>

#include "cuda/second_walk.hpp"

namespace holdfast::cuda {

/// A token's own data. Values that are not allowed make it NaN, for nobody has looked at them before.
struct Token {
    int64_t index;
    int64_t label;
    float weight;
    float alpha;
    bool has_label;  // in the student's vocabulary

    HF_DEVICE Token(const LossArguments &loss, int64_t index_)
        : index(index_),
          label(device::load_cached(loss.labels + index_)),
          weight(device::load_cached(loss.weights + index_)),
          alpha(loss.alphas == nullptr ? 0.0f : device::load_cached(loss.alphas + index_)),
          has_label(label >= 0 && label < loss.student.columns) {
        alpha = alpha >= 0.0f && alpha <= 1.0f ? alpha : NAN;
    }

    HF_DEVICE bool is_ignored() const { return label == HF_IGNORE_INDEX || weight == 0.0f; }
};

/// The label's column in the student's row.
struct Label {
    float logit;       // shifted; NaN for a label out of range
    bool leads_group;  // no earlier column of its group has as large a logit
    int64_t group;     // of the row
};

struct Findings {
    double first_sums[SUMS];
    double second_sums[SUMS];
    double log_sum_exp[SIDES];  // of the shifted logits over the temperature
    double label_log_probability;
    double omega;  // what cross-entropy is weighted with
    bool label_is_argmax;
};

/// A block's shared memory, before what the source keeps there.
struct alignas(16) Shared {
    Board board;
    Label label;
    Findings findings;
    RowScalars row;
};

HF_DEVICE Shared &shared() { return *reinterpret_cast<Shared *>(device::shared_memory()); }

constexpr double LN_2_DOUBLE = 0.6931471805599453;

/// 1 / temperature, to agree with the exponents' scale.
HF_DEVICE double inverse_temperature(const Frame &frame) { return static_cast<double>(frame.exponent_scale) * LN_2_DOUBLE; }

HF_DEVICE double not_negative(double value) { return value < 0 ? 0 : value; }

/// Sums of the first walk relative to bases that hold for the row, and logarithms of the masses. For the lanes of the first warp.
template <class Anchor>
HF_DEVICE void find_masses(Shared &here, int round, const Frame &frame) {
    const int i = device::lane_index() % SUMS, side = side_of<Anchor>(i);
    const float peak = cluster_peak(here.board, round, side);
    const float base = base_of(peak, frame.exponent_scale);
    const double sum = collect_sums(here.board, round, [&](const Contribution &other) {
        return static_cast<double>(power_of_two(base_of(other.peaks[side], frame.exponent_scale) - base));
    });
    if (device::lane_index() < SUMS) {
        here.findings.first_sums[i] = sum;
    }
    if (device::lane_index() < SIDES && side == i) {
        const bool has_distribution = sum > 0;  // not without finite logits, and not with NaN or +inf
        const double log_mass = has_distribution ? log(sum) : static_cast<double>(NAN);
        here.findings.log_sum_exp[side] = static_cast<double>(base) * LN_2_DOUBLE + log_mass;
        here.row.normalisers.base[side] = base;
        here.row.normalisers.inverse_mass[side] = has_distribution ? static_cast<float>(1.0 / sum) : NAN;
    }
    if (device::lane_index() == STUDENT) {
        bool is_preceded = false;
        for (int rank = 0; rank < device::cluster_size(); ++rank) {
            const Contribution &other = contribution_of(here.board, round, rank);
            is_preceded = is_preceded || (other.label_is_preceded && other.peaks[STUDENT] == peak);
        }
        here.findings.label_is_argmax = here.label.logit == peak && here.label.leads_group && !is_preceded;
    }
}

/// Log-sum-exp of a less that of b, from the gain of a over b where there is one and it is not so large that logarithms do as well.
HF_DEVICE double log_mass_ratio(const Findings &findings, int a, int b, bool has_gain, int gain) {
    const double relative = findings.first_sums[gain] / findings.first_sums[b];
    return has_gain && relative > -0.5 && relative < 0.5 ? log1p(relative) : findings.log_sum_exp[a] - findings.log_sum_exp[b];
}

template <class Anchor>
HF_DEVICE Offsets offsets_of(const Findings &findings, bool has_gains) {
    if (Anchor::HAS_MIXTURE) {
        return {static_cast<float>(log_mass_ratio(findings, STUDENT, MIXTURE, has_gains, STUDENT_GAIN) / LN_2_DOUBLE), 0.0f, 0.0f, 0.0f};
    }
    const double student = log_mass_ratio(findings, STUDENT, SNAPSHOT, has_gains, STUDENT_GAIN);
    const double reference = log_mass_ratio(findings, REFERENCE, SNAPSHOT, has_gains, REFERENCE_GAIN);
    return {0.0f, static_cast<float>(student / LN_2_DOUBLE), static_cast<float>((student - reference) / LN_2_DOUBLE),
            static_cast<float>(reference / LN_2_DOUBLE)};
}

/// What the later walks need, from the masses. For one thread.
template <class Anchor>
HF_DEVICE void set_row(Shared &here, const LossArguments &loss, const Token &token, const Frame &frame, bool has_gains) {
    Findings &findings = here.findings;
    here.row.offsets = offsets_of<Anchor>(findings, has_gains);
    findings.label_log_probability = static_cast<double>(here.label.logit) * inverse_temperature(frame) - findings.log_sum_exp[STUDENT];
    findings.omega = loss.weights_by_probability ? exp(findings.label_log_probability) : 1.0;
    const bool distils = Anchor::HAS_REFERENCE && loss.kd_weight > 0.0f;
    const double scale = static_cast<double>(token.has_label ? token.weight : NAN) / static_cast<double>(loss.temperature);
    const double ce = scale * (loss.ce_weight > 0.0f ? static_cast<double>(loss.ce_weight) * findings.omega : 0.0);
    here.row.scale = {static_cast<float>(scale * static_cast<double>(loss.kd_weight)), static_cast<float>(ce), 0.0f, loss.beta, distils};
    here.row.label = {token.label, static_cast<float>(ce * expm1(findings.label_log_probability))};
}

/// The value of the divergence that the loss is made of.
template <int DIVERGENCE>
HF_DEVICE double divergence(const Findings &findings) {
    return not_negative(findings.second_sums[DIVERGENCE == HF_FORWARD_KL ? ANCHOR_STUDENT : VALUE]);
}

/// What the gradient of reverse KL and JSD needs of their value; where reverse KL is infinite it has none. For one thread.
template <int DIVERGENCE>
HF_DEVICE void set_mean_log_ratio(Shared &here) {
    const double *sums = here.findings.second_sums;
    here.row.scale.mean_log_ratio = sums[MASS] > 0 ? static_cast<float>(sums[FIRST_ORDER] / sums[MASS]) : 0.0f;
    if (DIVERGENCE == HF_REVERSE_KL && divergence<DIVERGENCE>(here.findings) == static_cast<double>(INFINITE)) {
        here.row.scale.distils = false;
    }
}

/// KL(a || b) = E_a[a - b] / temperature - (log-sum-exp of a - log-sum-exp of b)
HF_DEVICE double kl(const Findings &findings, const Frame &frame, double moment, int a, int b) {
    return not_negative(moment / findings.first_sums[a] * inverse_temperature(frame) - (findings.log_sum_exp[a] - findings.log_sum_exp[b]));
}

HF_DEVICE double log_sum_exp(const Findings &findings, const Frame &frame, int side) {
    return static_cast<double>(frame.shift[side]) * inverse_temperature(frame) + findings.log_sum_exp[side];
}

template <class Anchor>
HF_DEVICE double student_entropy(const Findings &findings, const Frame &frame) {
    const double mean =
        static_cast<double>(frame.student_centre) +
        (Anchor::HAS_REFERENCE ? findings.second_sums[MEAN] : findings.first_sums[STUDENT_MEAN] / findings.first_sums[STUDENT]);
    return not_negative(findings.log_sum_exp[STUDENT] - mean * inverse_temperature(frame));
}

/// KL(p_c || q); for a logit anchor z_q = c + alpha (r - c).
template <class Anchor>
HF_DEVICE double kl_snapshot_anchor(const Findings &findings, const Frame &frame) {
    if (!Anchor::HAS_MIXTURE) {
        return not_negative(findings.second_sums[SNAPSHOT_ANCHOR]);
    }
    const double alpha = static_cast<double>(frame.alpha);
    return kl(findings, frame, alpha == 0.0 ? 0.0 : alpha * findings.first_sums[SNAPSHOT_REFERENCE], SNAPSHOT, MIXTURE);
}

template <class Anchor>
HF_DEVICE void write_statistics(const Findings &findings, const Frame &frame, float *target) {
    double column[HF_STATISTICS_COUNT] = {};
    if (Anchor::HAS_REFERENCE) {
        column[HF_KL_ANCHOR_STUDENT] = not_negative(findings.second_sums[ANCHOR_STUDENT]);
        column[HF_KL_SNAPSHOT_ANCHOR] = kl_snapshot_anchor<Anchor>(findings, frame);
        column[HF_KL_SNAPSHOT_REFERENCE] = kl(findings, frame, findings.first_sums[SNAPSHOT_REFERENCE], SNAPSHOT, REFERENCE);
        column[HF_KL_STUDENT_REFERENCE] = kl(findings, frame, findings.first_sums[STUDENT_REFERENCE], STUDENT, REFERENCE);
        column[HF_REFERENCE_LOG_SUM_EXP] = log_sum_exp(findings, frame, REFERENCE);
    }
    if (Anchor::HAS_SNAPSHOT) {
        column[HF_KL_SNAPSHOT_STUDENT] = kl(findings, frame, findings.first_sums[SNAPSHOT_STUDENT], SNAPSHOT, STUDENT);
        column[HF_SNAPSHOT_LOG_SUM_EXP] = log_sum_exp(findings, frame, SNAPSHOT);
    }
    column[HF_STUDENT_ENTROPY] = student_entropy<Anchor>(findings, frame);
    column[HF_STUDENT_LOG_SUM_EXP] = log_sum_exp(findings, frame, STUDENT);
    column[HF_LABEL_LOG_PROBABILITY] = findings.label_log_probability;
    column[HF_LABEL_IS_ARGMAX] = findings.label_is_argmax ? 1 : 0;
    HF_UNROLL for (int i = 0; i < HF_STATISTICS_COUNT; ++i) { device::store_cached(target + i, static_cast<float>(column[i])); }
}

template <class Anchor, int DIVERGENCE>
HF_DEVICE float token_loss(const Findings &findings, const LossArguments &loss, const Token &token) {
    double value = token.has_label ? 0.0 : static_cast<double>(NAN);
    if (Anchor::HAS_REFERENCE && loss.kd_weight > 0.0f) {
        value += static_cast<double>(loss.kd_weight) * divergence<DIVERGENCE>(findings);
    }
    if (loss.ce_weight > 0.0f && findings.omega != 0.0) {
        value -= static_cast<double>(loss.ce_weight) * findings.omega * findings.label_log_probability;
    }
    return static_cast<float>(value);
}

}  // namespace holdfast::cuda
