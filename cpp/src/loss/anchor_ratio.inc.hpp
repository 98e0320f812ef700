// The ratio of student and anchor, and the walk that sums divergences. Compiled once per instruction set.
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

/// What turns logits into log-probabilities: log p = (z - maximum) / temperature - log_mass.
struct Normaliser {
    float maximum;
    float log_mass;

    Normaliser() = default;
    explicit Normaliser(const Side &side) : maximum(side.maximum), log_mass(static_cast<float>(side.log_mass())) {}

    F apply(F z, float inverse_temperature) const { return fma(z - maximum, broadcast(inverse_temperature), broadcast(-log_mass)); }
};

/// log(p_a / p_b) = (a - b) / temperature - offset
inline float offset(const Token &t, const Side &a, const Side &b) {
    const double maxima = (static_cast<double>(a.maximum) - b.maximum) * t.inverse_temperature;
    return static_cast<float>(maxima + (a.log_mass() - b.log_mass()));
}

inline F zero_if_nan(F x) { return select(x == x, x, F{}); }

/// The anchor is the softmax of mixed logits, or one of its two sides.
struct LogitAnchor {
    float inverse_temperature;
    float alpha;
    Normaliser student, anchor;
    float student_to_anchor;

    explicit LogitAnchor(const Token &t)
        : inverse_temperature(t.inverse_temperature), alpha(t.alpha), student(t.s), anchor(t.q), student_to_anchor(offset(t, t.s, t.q)) {}

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
        return {fma(difference, broadcast(inverse_temperature), broadcast(-student_to_anchor)), student.apply(s, inverse_temperature),
                anchor.apply(z, inverse_temperature)};
    }
};

/// q = (1 - alpha) p_c + alpha p_r, kept relative to the likelier side of each column.
struct ProbabilityAnchor {
    float inverse_temperature;
    float alpha;
    Normaliser student, snapshot, reference;
    float student_to_snapshot, student_to_reference, reference_to_snapshot;

    explicit ProbabilityAnchor(const Token &t)
        : inverse_temperature(t.inverse_temperature),
          alpha(t.alpha),
          student(t.s),
          snapshot(t.c),
          reference(t.r),
          student_to_snapshot(offset(t, t.s, t.c)),
          student_to_reference(offset(t, t.s, t.r)),
          reference_to_snapshot(offset(t, t.r, t.c)) {}

    template <bool SPECIAL>
    Ratio ratio(F s, F c, F r) const {
        const F tau = broadcast(inverse_temperature);
        const F rc = SPECIAL ? zero_if_nan(r - c) : r - c;
        const F d = fma(rc, tau, broadcast(-reference_to_snapshot));
        const I reference_leads = d > F{};
        const F large = select(reference_leads, broadcast(alpha), broadcast(1.0f - alpha));
        const F small = select(reference_leads, broadcast(1.0f - alpha), broadcast(alpha));
        const F mixture = log_mixture(large, small, exponential(-absolute(d)));
        const F leader = select(reference_leads, r, c);
        const F difference = SPECIAL ? zero_if_nan(s - leader) : s - leader;
        const F to_leader = select(reference_leads, broadcast(-student_to_reference), broadcast(-student_to_snapshot));
        const F log_leader = select(reference_leads, reference.apply(r, inverse_temperature), snapshot.apply(c, inverse_temperature));
        return {fma(difference, tau, to_leader) - mixture, student.apply(s, inverse_temperature), log_leader + mixture};
    }
};

/// Probabilities of one vector of columns, all to full relative precision.
struct Probabilities {
    F x;  // log(p / q)
    F p;
    F q;
    F delta;            // p - q
    Exponential decay;  // of -|x|
};

inline Probabilities probabilities(const Ratio &ratio) {
    const I student_leads = ratio.x > F{};
    const F base = exp(select(student_leads, ratio.log_p, ratio.log_q));
    const Exponential decay = exponential(-absolute(ratio.x));
    const F other = base * decay.value;
    const F difference = base * decay.minus_one;
    return {ratio.x, select(student_leads, base, other), select(student_leads, other, base), select(student_leads, -difference, difference),
            decay};
}

/// log(p / m) and log(q / m) for m = beta q + (1 - beta) p.
struct MidpointRatios {
    F log_p_m;
    F log_q_m;
};

template <bool SPECIAL>
inline MidpointRatios midpoint_ratios(const Probabilities &k, float beta) {
    const I student_leads = k.x > F{};
    const F large = select(student_leads, broadcast(1.0f - beta), broadcast(beta));
    const F small = select(student_leads, broadcast(beta), broadcast(1.0f - beta));
    const F leader = -log_mixture(large, small, k.decay);
    const F follower = leader - absolute(k.x);
    return {select(student_leads, leader, follower), select(student_leads, follower, leader)};
}

/// Sums of the second walk.
struct SecondSums {
    Sum value, first_order, mass, anchor_student, snapshot_anchor;

    void flush() {
        value.flush();
        first_order.flush();
        mass.flush();
        anchor_student.flush();
        snapshot_anchor.flush();
    }
};

/// The divergence's value, and for reverse KL and JSD the mean log-ratio that centres their gradient.
template <int DIVERGENCE, bool SPECIAL>
inline void add_value(const Probabilities &k, float beta, SecondSums &sums) {
    if (DIVERGENCE == HF_REVERSE_KL) {
        const F px = weighted<SPECIAL>(k.p, k.x);
        sums.value.add(px - k.delta);  // p (e^-x - 1 + x): no term is negative, so nothing cancels
        sums.first_order.add(px);
        sums.mass.add(k.p);
    }
    if (DIVERGENCE == HF_JSD) {
        const MidpointRatios m = midpoint_ratios<SPECIAL>(k, beta);
        const F p_m = weighted<SPECIAL>(k.p, m.log_p_m);
        sums.value.add(beta * weighted<SPECIAL>(k.q, m.log_q_m) + (1.0f - beta) * p_m);
        sums.first_order.add(p_m);
        sums.mass.add(k.p);
    }
}

/// KL(q || p) and KL(c || q): q (e^x - 1 - x) and p_c log(p_c / q).
template <class Anchor, bool SPECIAL, bool SNAPSHOT_ANCHOR>
inline void add_statistics(const Token &t, const Probabilities &k, const Ratio &ratio, const Normaliser &snapshot, F c, SecondSums &sums) {
    sums.anchor_student.add(k.delta - weighted<SPECIAL>(k.q, k.x));
    if (SNAPSHOT_ANCHOR) {
        const F log_c = snapshot.apply(c, t.inverse_temperature);
        sums.snapshot_anchor.add(weighted<SPECIAL>(exp(log_c), log_c - ratio.log_q));
    }
}

struct Loss {
    double kl_anchor_student = 0;
    double kl_snapshot_anchor = 0;
    double divergence = 0;
    double mean_log_ratio = 0;
};

template <class Visit>
void walk(const Token &t, Visit &&visit) {
    Scratch s_scratch, c_scratch, r_scratch;
    for (int64_t begin = 0; begin < t.width; begin += CHUNK) {
        const float *zs = t.student.chunk(begin, s_scratch.values);
        const float *zc = t.snapshot_is_student ? zs : t.snapshot.chunk(begin, c_scratch.values);
        const float *zr = t.loss.has_reference() ? t.reference.chunk(begin, r_scratch.values) : zs;
        visit(begin, zs, zc, zr);
    }
}

template <class Anchor, int DIVERGENCE, bool SPECIAL>
void value_chunk(const Token &t, const Anchor &anchor, const float *zs, const float *zc, const float *zr, SecondSums &sums) {
    const Normaliser snapshot(t.c);
    constexpr bool SNAPSHOT_ANCHOR = __is_same(Anchor, ProbabilityAnchor);
    for (int64_t block = 0; block < CHUNK; block += LANES * BLOCK) {
        for (int64_t v = block; v < block + LANES * BLOCK; v += LANES) {
            const F c = load(zc + v) - t.c_shift;
            const Ratio ratio = anchor.template ratio<SPECIAL>(load(zs + v) - t.s_shift, c, load(zr + v) - t.r_shift);
            const Probabilities k = probabilities(ratio);
            add_value<DIVERGENCE, SPECIAL>(k, t.loss.options.beta, sums);
            add_statistics<Anchor, SPECIAL, SNAPSHOT_ANCHOR>(t, k, ratio, snapshot, c, sums);
        }
        sums.flush();
    }
}

inline bool chunk_is_special(const float *zs, const float *zc, const float *zr) {
    return scan(zs).special || scan(zc).special || scan(zr).special;
}

inline double not_negative(double value) { return value < 0 ? 0 : value; }

Loss finish(const Token &t, const SecondSums &sums) {
    Loss loss;
    loss.kl_anchor_student = not_negative(sums.anchor_student.value());
    loss.kl_snapshot_anchor = not_negative(sums.snapshot_anchor.value());
    loss.divergence = t.loss.options.divergence == HF_FORWARD_KL ? loss.kl_anchor_student : not_negative(sums.value.value());
    const double mass = sums.mass.value();
    loss.mean_log_ratio = mass > 0 ? sums.first_order.value() / mass : 0;
    return loss;
}

template <class Anchor, int DIVERGENCE>
Loss value_walk(const Token &t) {
    const Anchor anchor(t);
    SecondSums sums;
    walk(t, [&](int64_t, const float *zs, const float *zc, const float *zr) {
        if (chunk_is_special(zs, zc, zr)) {
            value_chunk<Anchor, DIVERGENCE, true>(t, anchor, zs, zc, zr, sums);
        } else {
            value_chunk<Anchor, DIVERGENCE, false>(t, anchor, zs, zc, zr, sums);
        }
    });
    return finish(t, sums);
}

}  // namespace
}  // namespace holdfast::HF_VARIANT
