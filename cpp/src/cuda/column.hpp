// What one column of a token contributes: the ratio of student and anchor, probabilities, and the terms of the divergences.
//
// Where student and anchor are close, p - q is not computed as a difference: with x = log(p / q) it is q expm1(x), so that a student close
// to its anchor gets an accurate gradient, of bfloat16 logits too, and a student equal to its anchor gets exactly 0.
//
// SPECIAL code is for rows with -inf or with logits far from 0; it is left out of ordinary rows.
#pragma once

#include "cuda/element.hpp"

namespace holdfast::cuda {

constexpr float LOG2_E = 1.44269504f;
constexpr float LN_2 = 0.69314718f;

/// The sides of a token: student, snapshot, reference, and the softmax of mixed logits.
enum Side { STUDENT, SNAPSHOT, REFERENCE, MIXTURE, SIDES };

/// What is the same for all columns of a token before its sums are known.
struct Frame {
    float alpha;
    float exponent_scale;  // log2(e) / temperature. As a float it is another temperature's, by 6e-8; every formula takes that one, so that
                           // they agree with each other
    float shift[MIXTURE];  // subtracted from every logit of the side before anything else
    float student_centre;  // subtracted from the student's logits where their mean is taken
    bool is_special;
};

/// What turns logits into probabilities: p = 2^(exponent_scale z - base) * inverse_mass. Bases are whole numbers: to change one is exact.
struct Normalisers {
    float base[SIDES];
    float inverse_mass[SIDES];
};

/// Up to which |x| the series for e^x - 1 is used. Its error there is 2e-8; beyond, a difference costs 1 / (1 - e^-0.35) = 3.4 roundings.
constexpr float SERIES_LIMIT = 0.35f;

/// e^x - 1 for |x| <= SERIES_LIMIT: Taylor's polynomial of degree 7.
HF_DEVICE float expm1_series(float x) {
    float p = 1.0f / 5040;
    p = fmaf(p, x, 1.0f / 720);
    p = fmaf(p, x, 1.0f / 120);
    p = fmaf(p, x, 1.0f / 24);
    p = fmaf(p, x, 1.0f / 6);
    p = fmaf(p, x, 0.5f);
    return fmaf(x * x, p, x);
}

/// large + small e^-d for d >= 0, where large + small = 1, and its logarithm: a mixture relative to its likelier part.
struct Mixture {
    float value;
    float logarithm;
};

HF_DEVICE Mixture mix(float large, float small, float d) {
    const float decay = device::fast_exp2(d * -LOG2_E);
    const float y = small * (d < SERIES_LIMIT ? expm1_series(-d) : decay - 1.0f);
    const bool is_near = y > -0.5f;
    const float value = is_near ? 1.0f + y : fmaf(small, decay, large);
    return {value, logf(value) + (is_near ? y - (value - 1.0f) : 0.0f)};  // what 1 + y rounds away; the logarithm's derivative there is 1
}

/// weight * difference, where a weight of 0 wins over an infinite difference.
template <bool SPECIAL>
HF_DEVICE float weighted(float weight, float difference) {
    const float product = weight * difference;
    return SPECIAL && weight == 0.0f ? 0.0f : product;
}

/// a - b, and 0 where both are the same infinity.
template <bool SPECIAL>
HF_DEVICE float difference(float a, float b) {
    const float result = a - b;
    return SPECIAL && result != result && a == b ? 0.0f : result;
}

/// z_q = c + alpha (r - c): equal sides give that very logit, and a weight of 0 or 1 the one side. A side at -inf takes the mixture there.
template <bool SPECIAL>
HF_DEVICE float mix_logits(float c, float r, float alpha) {
    if (SPECIAL) {
        if (alpha == 0.0f) {
            return c;
        }
        if (alpha < 1.0f && (c == -INFINITE || r == -INFINITE)) {
            return -INFINITE;
        }
    }
    return alpha == 1.0f ? r : fmaf(alpha, r - c, c);
}

/// 2^(exponent_scale z - base): a probability before it is divided by the mass.
HF_DEVICE float term(const Frame &frame, float z, float base) { return device::fast_exp2(fmaf(z, frame.exponent_scale, -base)); }

HF_DEVICE float probability(const Frame &frame, const Normalisers &n, Side side, float z) {
    return term(frame, z, n.base[side]) * n.inverse_mass[side];
}

/// log2(p_a / p_b) = exponent_scale (a - b) - offset for sides a and b.
struct Offsets {
    float student_to_anchor;                                                 // of logits
    float student_to_snapshot, student_to_reference, reference_to_snapshot;  // of probabilities
};

/// log(p_a / p_b)
template <bool SPECIAL>
HF_DEVICE float log_ratio(const Frame &frame, float a, float b, float offset) {
    return LN_2 * fmaf(difference<SPECIAL>(a, b), frame.exponent_scale, -offset);
}

/// Of one column.
struct Probabilities {
    float x;  // log(p / q), to full relative precision
    float p;
    float q;
    float log_snapshot_to_anchor;  // log(p_c / q), for an anchor of probabilities
};

/// No anchor: cross-entropy of the student alone.
struct StudentAlone {
    static constexpr bool HAS_SNAPSHOT = false, HAS_REFERENCE = false, HAS_MIXTURE = false;
};

/// No anchor, but statistics of the snapshot.
struct SnapshotAlone {
    static constexpr bool HAS_SNAPSHOT = true, HAS_REFERENCE = false, HAS_MIXTURE = false;
};

/// The anchor is the softmax of mixed logits.
struct LogitAnchor {
    static constexpr bool HAS_SNAPSHOT = true, HAS_REFERENCE = true, HAS_MIXTURE = true;

    template <bool SPECIAL>
    HF_DEVICE static Probabilities of(const Frame &frame, const Normalisers &n, const Offsets &offsets, float s, float c, float r) {
        const float z = mix_logits<SPECIAL>(c, r, frame.alpha);
        const float x = log_ratio<SPECIAL>(frame, s, z, offsets.student_to_anchor);
        return {x, probability(frame, n, STUDENT, s), probability(frame, n, MIXTURE, z), 0.0f};
    }
};

/// q = (1 - alpha) p_c + alpha p_r, kept relative to the likelier side of each column. With a weight of 0 or 1 the one side leads always.
struct ProbabilityAnchor {
    static constexpr bool HAS_SNAPSHOT = true, HAS_REFERENCE = true, HAS_MIXTURE = false;

    template <bool SPECIAL>
    HF_DEVICE static Probabilities of(const Frame &frame, const Normalisers &n, const Offsets &offsets, float s, float c, float r) {
        const float alpha = frame.alpha;
        const float d = log_ratio<SPECIAL>(frame, r, c, offsets.reference_to_snapshot);
        const bool reference_leads = alpha == 1.0f || (alpha != 0.0f && d > 0.0f);
        const Mixture mixture = mix(reference_leads ? alpha : 1.0f - alpha, reference_leads ? 1.0f - alpha : alpha, fabsf(d));
        const float leader = reference_leads ? r : c;
        const float to_leader = reference_leads ? offsets.student_to_reference : offsets.student_to_snapshot;
        const float x = log_ratio<SPECIAL>(frame, s, leader, to_leader) - mixture.logarithm;
        const float base = reference_leads ? n.base[REFERENCE] : n.base[SNAPSHOT];
        const float inverse_mass = reference_leads ? n.inverse_mass[REFERENCE] : n.inverse_mass[SNAPSHOT];
        return {x, probability(frame, n, STUDENT, s), term(frame, leader, base) * inverse_mass * mixture.value,
                (reference_leads ? -d : 0.0f) - mixture.logarithm};
    }
};

/// p - q
HF_DEVICE float delta(const Probabilities &k) { return fabsf(k.x) < SERIES_LIMIT ? k.q * expm1_series(k.x) : k.p - k.q; }

/// log(p / m) and log(q / m) for m = beta q + (1 - beta) p.
struct MidpointRatios {
    float log_p_m;
    float log_q_m;
};

HF_DEVICE MidpointRatios midpoint_ratios(const Probabilities &k, float beta) {
    const bool student_leads = k.x > 0.0f;
    const float leader = -mix(student_leads ? 1.0f - beta : beta, student_leads ? beta : 1.0f - beta, fabsf(k.x)).logarithm;
    const float follower = leader - fabsf(k.x);
    return {student_leads ? leader : follower, student_leads ? follower : leader};
}

}  // namespace holdfast::cuda
