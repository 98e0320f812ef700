// The walks that follow the first: one that sums the divergence, and one that writes the gradient; forward KL needs only the latter.
#pragma once

#include "cuda/first_walk.hpp"
#include "cuda/gradient_row.hpp"

namespace holdfast::cuda {

/// Sums of the walks after the first.
enum SecondSum {
    VALUE,            // of reverse KL and JSD
    FIRST_ORDER,      // sum of p times the log-ratio that the gradient centres
    MASS,             // sum of p
    ANCHOR_STUDENT,   // KL(q || p)
    SNAPSHOT_ANCHOR,  // KL(p_c || q)
    MEAN,             // sum of p (s - centre)
    SECOND_SUMS
};
static_assert(SECOND_SUMS <= SUMS, "the board carries the sums of the second walk");

/// What a row's gradient is made of, beside its probabilities.
struct GradientScale {
    float kd;  // weight * kd_weight / temperature
    float ce;  // weight * ce_weight * omega / temperature
    float mean_log_ratio;
    float beta;
    bool distils;  // whether the divergence has a gradient

    HF_DEVICE GradientScale without_cross_entropy() const {
        GradientScale scale = *this;
        scale.ce = 0.0f;
        return scale;
    }
};

/// The label's own column, where the gradient of cross-entropy is p - 1: taken as expm1(log p), in double.
struct LabelColumn {
    int64_t column;
    float cross_entropy;

    template <class Element>
    HF_DEVICE bool is_in(int64_t first_column) const {
        return column >= first_column && column < first_column + Element::COLUMNS;
    }
};

/// What is the same for all columns of a token once the first walk is done.
struct RowScalars {
    Normalisers normalisers;
    Offsets offsets;
    GradientScale scale;
    LabelColumn label;
};

template <bool VALUE_>
struct Flag {
    static constexpr bool VALUE = VALUE_;
};

/// Anchors of probabilities and JSD need more registers for a column.
template <class Anchor, int DIVERGENCE>
constexpr int MOST_COLUMNS_AT_ONCE = Anchor::HAS_MIXTURE &&DIVERGENCE != HF_JSD ? 8 : 4;

/// Calls visit(group, logits, special) for the thread's groups; `special` is a Flag, so that ordinary groups get code of their own.
template <class Anchor, bool LAST, class Element, class Source, class Visit>
HF_DEVICE void walk_logits(const Frame &frame, const Source &source, Visit &&visit) {
    source.template walk<LAST>([&](int group, const Groups<Element> &raw) {
        if (frame.is_special || !source.rows.whole.has(group)) {
            visit(group, Logits<Element>::template of<Anchor, true>(frame, raw), Flag<true>());
        } else {
            visit(group, Logits<Element>::template of<Anchor, false>(frame, raw), Flag<false>());
        }
    });
}

/// The divergence's value, and for reverse KL and JSD the mean log-ratio that centres their gradient.
template <int DIVERGENCE, bool SPECIAL, bool FOLDS>
HF_DEVICE void add_value(const Probabilities &k, float beta, Sums<SECOND_SUMS, FOLDS> &sums) {
    if (DIVERGENCE == HF_REVERSE_KL) {
        const float px = weighted<SPECIAL>(k.p, k.x);
        sums.parts[VALUE] += px - delta(k);  // p (e^-x - 1 + x): no term is negative, so nothing cancels
        sums.parts[FIRST_ORDER] += px;
        sums.parts[MASS] += k.p;
    }
    if (DIVERGENCE == HF_JSD) {
        const MidpointRatios m = midpoint_ratios(k, beta);
        const float p_m = weighted<SPECIAL>(k.p, m.log_p_m);
        sums.parts[VALUE] += beta * weighted<SPECIAL>(k.q, m.log_q_m) + (1.0f - beta) * p_m;
        sums.parts[FIRST_ORDER] += p_m;
        sums.parts[MASS] += k.p;
    }
}

/// KL(q || p) as the sum of q (e^x - 1 - x); KL(p_c || q), which a logit anchor has for free from the first walk; and the student's mean.
template <class Anchor, bool SPECIAL, bool FOLDS>
HF_DEVICE void add_statistics(const Frame &frame, const Normalisers &n, const Probabilities &k, float s, float c,
                              Sums<SECOND_SUMS, FOLDS> &sums) {
    sums.parts[MEAN] += weighted<SPECIAL>(k.p, s - frame.student_centre);
    sums.parts[ANCHOR_STUDENT] += delta(k) - weighted<SPECIAL>(k.q, k.x);
    if (!Anchor::HAS_MIXTURE) {
        sums.parts[SNAPSHOT_ANCHOR] += weighted<SPECIAL>(probability(frame, n, SNAPSHOT, c), k.log_snapshot_to_anchor);
    }
}

template <class Anchor, int DIVERGENCE, class Element, class Source>
HF_DEVICE auto value_walk(const Frame &frame, const RowScalars &row, const Source &source) {
    constexpr int STEP = MOST_COLUMNS_AT_ONCE<Anchor, DIVERGENCE>;
    Sums<SECOND_SUMS, !Source::KEEPS_ROW> sums;
    walk_logits<Anchor, false, Element>(frame, source, [&](int, const Logits<Element> &z, auto special) {
        constexpr bool SPECIAL = decltype(special)::VALUE;
        z.template each<columns_at_once<SPECIAL, Element>(STEP)>([&](float s, float c, float r) {
            const Probabilities k = Anchor::template of<SPECIAL>(frame, row.normalisers, row.offsets, s, c, r);
            add_value<DIVERGENCE, SPECIAL>(k, row.scale.beta, sums);
            add_statistics<Anchor, SPECIAL>(frame, row.normalisers, k, s, c, sums);
        });
        sums.end_group();
    });
    return sums;
}

template <int DIVERGENCE, bool SPECIAL>
HF_DEVICE float gradient_of(const Probabilities &k, const GradientScale &scale) {
    if (DIVERGENCE == HF_FORWARD_KL) {
        return fmaf(delta(k), scale.kd, k.p * scale.ce);
    }
    float log_ratio = k.x;
    float factor = scale.kd;
    if (DIVERGENCE == HF_JSD) {
        log_ratio = midpoint_ratios(k, scale.beta).log_p_m;
        factor *= 1.0f - scale.beta;
    }
    return fmaf(weighted<SPECIAL>(k.p, log_ratio - scale.mean_log_ratio), factor, k.p * scale.ce);
}

/// Writes the gradient where it is wanted; for forward KL it also gives the value, which needs no walk of its own then.
template <class Anchor, int DIVERGENCE, class Element, class Source>
HF_DEVICE auto gradient_walk(const Frame &frame, const RowScalars &row, const Source &source, const GradientRow<Element> &gradient) {
    constexpr int STEP = MOST_COLUMNS_AT_ONCE<Anchor, DIVERGENCE>;
    Sums<SECOND_SUMS, !Source::KEEPS_ROW> sums;
    walk_logits<Anchor, true, Element>(frame, source, [&](int group, const Logits<Element> &z, auto special) {
        constexpr bool SPECIAL = decltype(special)::VALUE;
        float values[Element::COLUMNS] = {};
        z.template each<columns_at_once<SPECIAL, Element>(STEP)>(values, [&](float s, float c, float r) {
            const Probabilities k = Anchor::template of<SPECIAL>(frame, row.normalisers, row.offsets, s, c, r);
            if (DIVERGENCE == HF_FORWARD_KL) {
                add_statistics<Anchor, SPECIAL>(frame, row.normalisers, k, s, c, sums);
            }
            return gradient_of<DIVERGENCE, SPECIAL>(k, row.scale);
        });
        const int64_t first_column = source.rows.first_column(group);
        if (row.label.is_in<Element>(first_column)) {
            const int i = static_cast<int>(row.label.column - first_column);
            const Probabilities k =
                Anchor::template of<true>(frame, row.normalisers, row.offsets, pick(z.s, i), pick(z.c, i), pick(z.r, i));
            put(values, i, gradient_of<DIVERGENCE, true>(k, row.scale.without_cross_entropy()) + row.label.cross_entropy);
        }
        gradient.write(first_column, values);
        sums.end_group();
    });
    return sums;
}

/// Writes the gradient of cross-entropy alone, which depends on the student's row only.
template <class Element, class Source>
HF_DEVICE void cross_entropy_walk(const Frame &frame, const RowScalars &row, const Source &source, const GradientRow<Element> &gradient) {
    const float scale = row.scale.ce * row.normalisers.inverse_mass[STUDENT];
    walk_logits<StudentAlone, true, Element>(frame, source, [&](int group, const Logits<Element> &z, auto special) {
        float values[Element::COLUMNS] = {};
        constexpr int STEP = columns_at_once<decltype(special)::VALUE, Element>(Element::COLUMNS);
        z.template each<STEP>(values, [&](float s, float, float) { return term(frame, s, row.normalisers.base[STUDENT]) * scale; });
        const int64_t first_column = source.rows.first_column(group);
        if (row.label.is_in<Element>(first_column)) {
            put(values, static_cast<int>(row.label.column - first_column), row.label.cross_entropy);
        }
        gradient.write(first_column, values);
    });
}

}  // namespace holdfast::cuda
