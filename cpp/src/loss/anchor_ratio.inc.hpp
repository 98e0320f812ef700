// The ratio of student and anchor. Compiled once per instruction set.
#pragma once

#include "loss/token.inc.hpp"

namespace holdfast::HF_VARIANT {
namespace {

/// x = log(p / q) and the log-probabilities of one vector of columns.
struct Ratio {
    F x;
    F log_p;
    F log_q;
};

/// How far two log-probabilities lie apart where their logits are equal: log2(p_a / p_b) = (a - b) log2(e) / temperature - offset. In two
/// parts, for the rounding of one would be the same for every column of a row.
struct Offset {
    float high = 0, low = 0;

    Offset() = default;
    explicit Offset(double bits) : high(static_cast<float>(bits)), low(static_cast<float>(bits - high)) {}

    Offset(const Token &t, const Side &a, const Side &b)
        : Offset((static_cast<double>(a.maximum) - b.maximum) * t.bits_per_logit + (a.log_mass() - b.log_mass()) / LN_2) {}
};

/// (difference of logits) / temperature - offset.
inline F nats(F difference, float bits_per_logit, F high, F low) {
    return (exact_difference(difference, broadcast(bits_per_logit), high) - low) * LN_2F;
}

inline F nats(F difference, float bits_per_logit, const Offset &offset) {
    return nats(difference, bits_per_logit, broadcast(offset.high), broadcast(offset.low));
}

/// What turns logits into log-probabilities: log p = (z - maximum) / temperature - log_mass.
struct Normaliser {
    float maximum;
    Offset log2_mass;

    Normaliser() = default;
    explicit Normaliser(const Side &side) : maximum(side.maximum), log2_mass(side.log_mass() / LN_2) {}

    F apply(F z, float bits_per_logit) const { return nats(z - maximum, bits_per_logit, log2_mass); }
};

inline F zero_if_nan(F x) { return select(x == x, x, F{}); }

/// The anchor is the softmax of mixed logits, or one of its two sides.
struct LogitAnchor {
    float bits_per_logit;
    float alpha;
    Normaliser student, anchor;
    Offset student_to_anchor;

    explicit LogitAnchor(const Token &t)
        : bits_per_logit(t.bits_per_logit), alpha(t.alpha), student(t.s), anchor(t.q), student_to_anchor(t, t.s, t.q) {}

    template <bool SPECIAL>
    F logits(F c, F r) const {
        if (alpha == 0.0f) {
            return c;
        }
        return alpha == 1.0f ? r : mix_logits<SPECIAL>(c, r, broadcast(alpha));
    }

    template <bool SPECIAL>
    Ratio ratio(F s, F c, F r) const {
        const F z = logits<SPECIAL>(c, r);
        const F difference = SPECIAL ? zero_if_nan(s - z) : s - z;
        return {nats(difference, bits_per_logit, student_to_anchor), student.apply(s, bits_per_logit), anchor.apply(z, bits_per_logit)};
    }
};

/// q = (1 - alpha) p_c + alpha p_r, kept relative to the likelier side of each column.
struct ProbabilityAnchor {
    float bits_per_logit;
    float alpha;
    Normaliser student, snapshot, reference;
    Offset student_to_snapshot, student_to_reference, reference_to_snapshot;

    explicit ProbabilityAnchor(const Token &t)
        : bits_per_logit(t.bits_per_logit),
          alpha(t.alpha),
          student(t.s),
          snapshot(t.c),
          reference(t.r),
          student_to_snapshot(t, t.s, t.c),
          student_to_reference(t, t.s, t.r),
          reference_to_snapshot(t, t.r, t.c) {}

    /// log(q / the likelier side), the other of which is that side times `decay`.
    F log_mixture_of(I reference_leads, Exponential decay) const {
        const F large = select(reference_leads, broadcast(alpha), broadcast(1.0f - alpha));
        const F small = select(reference_leads, broadcast(1.0f - alpha), broadcast(alpha));
        return log_mixture(large, small, decay);
    }

    template <bool SPECIAL>
    Ratio ratio(F s, F c, F r) const {
        const F rc = SPECIAL ? zero_if_nan(r - c) : r - c;
        const F d = nats(rc, bits_per_logit, reference_to_snapshot);
        const I reference_leads = d > F{};
        const F mixture = log_mixture_of(reference_leads, exponential(-absolute(d)));
        const F leader = select(reference_leads, r, c);
        const F difference = SPECIAL ? zero_if_nan(s - leader) : s - leader;
        const F high = select(reference_leads, broadcast(student_to_reference.high), broadcast(student_to_snapshot.high));
        const F low = select(reference_leads, broadcast(student_to_reference.low), broadcast(student_to_snapshot.low));
        const F log_leader = select(reference_leads, reference.apply(r, bits_per_logit), snapshot.apply(c, bits_per_logit));
        return {nats(difference, bits_per_logit, high, low) - mixture, student.apply(s, bits_per_logit), log_leader + mixture};
    }
};

}  // namespace
}  // namespace holdfast::HF_VARIANT
