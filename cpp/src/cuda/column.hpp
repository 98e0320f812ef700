// What one column of a token contributes: the ratio of student and anchor, probabilities, and the terms of the divergences.
//
// Nothing is computed as a difference of probabilities: with x = log(p / q) the kernels form p - q = q expm1(x), so that a student close to
// its anchor gets an accurate gradient, of bfloat16 logits too, and a student equal to its anchor gets exactly 0.
//
// SPECIAL code is for rows with -inf or with logits far from 0; it is left out of ordinary rows.
#pragma once

#include "cuda/element.hpp"
#include "cuda/launch_plan.hpp"

namespace holdfast::cuda {

constexpr float LOG2_E = 1.44269504f;

/// The sides of a token: student, snapshot, reference, and the softmax of mixed logits.
enum Side { STUDENT, SNAPSHOT, REFERENCE, MIXTURE, SIDES };

/// What is the same for all columns of a token before its sums are known.
struct Frame {
    float alpha;
    float inverse_temperature;
    float exponent_scale;     // log2(e) / temperature
    float shift[MIXTURE];     // subtracted from every logit of the side before anything else
    float student_centre;     // subtracted from the student's logits where their mean is taken
    bool is_special;
};

/// What turns logits into probabilities: p = 2^(exponent_scale z - base) * inverse_mass. Bases are whole numbers: to change one is exact.
struct Normalisers {
    float base[SIDES];
    float inverse_mass[SIDES];
};

/// e^x and e^x - 1, both to full relative precision.
struct Exponential {
    float value;
    float minus_one;
};

/// For x <= 0; NaN stays NaN.
HF_DEVICE Exponential exponential(float x) {
    const float value = device::fast_exp2(x * LOG2_E);
    // Taylor's polynomial, which at the border is exact to 2e-8; beyond, what cancels costs 1 / (1 - e^-0.35) = 3.4 roundings.
    float p = 1.0f / 5040;
    p = fmaf(p, x, 1.0f / 720);
    p = fmaf(p, x, 1.0f / 120);
    p = fmaf(p, x, 1.0f / 24);
    p = fmaf(p, x, 1.0f / 6);
    p = fmaf(p, x, 0.5f);
    return {value, x > -0.35f ? fmaf(x * x, p, x) : value - 1.0f};
}

/// log(large + small e^d) where large + small = 1 and d <= 0: the logarithm of a mixture relative to its likelier part.
HF_DEVICE float log_mixture(float large, float small, const Exponential &d) {
    const float y = small * d.minus_one;
    const bool is_near = y > -0.5f;
    const float u = is_near ? 1.0f + y : fmaf(small, d.value, large);
    return logf(u) + (is_near ? y - (u - 1.0f) : 0.0f);  // what 1 + y rounded away; its derivative there is 1
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

/// x = log(p / q) and the probability of the likelier of the two.
struct Ratio {
    float x;
    float larger;
    float log_snapshot_to_anchor;  // log(p_c / q), where the anchor needs it
};

HF_DEVICE float power_of(const Frame &frame, float z, float base) { return fmaf(z, frame.exponent_scale, -base); }

/// log(p_a / p_b) = (a - b) / temperature - offset for sides a and b.
struct Offsets {
    float student_to_anchor;                                                // of logits
    float student_to_snapshot, student_to_reference, reference_to_snapshot;  // of probabilities
};

/// No anchor: cross-entropy of the student alone.
struct StudentAlone {
    static constexpr AnchorKind KIND = AnchorKind::STUDENT_ALONE;
    static constexpr bool HAS_SNAPSHOT = false, HAS_REFERENCE = false, HAS_MIXTURE = false;
};

/// No anchor, but statistics of the snapshot.
struct SnapshotAlone {
    static constexpr AnchorKind KIND = AnchorKind::SNAPSHOT_ALONE;
    static constexpr bool HAS_SNAPSHOT = true, HAS_REFERENCE = false, HAS_MIXTURE = false;
};

/// The anchor is the softmax of mixed logits.
struct LogitAnchor {
    static constexpr AnchorKind KIND = AnchorKind::LOGITS;
    static constexpr bool HAS_SNAPSHOT = true, HAS_REFERENCE = true, HAS_MIXTURE = true;

    template <bool SPECIAL>
    HF_DEVICE static Ratio ratio(const Frame &frame, const Normalisers &n, const Offsets &offsets, float s, float c, float r) {
        const float z = mix_logits<SPECIAL>(c, r, frame.alpha);
        Ratio ratio{};
        ratio.x = fmaf(difference<SPECIAL>(s, z), frame.inverse_temperature, -offsets.student_to_anchor);
        const bool student_leads = ratio.x > 0.0f;
        const float power = power_of(frame, student_leads ? s : z, student_leads ? n.base[STUDENT] : n.base[MIXTURE]);
        ratio.larger = device::fast_exp2(power) * (student_leads ? n.inverse_mass[STUDENT] : n.inverse_mass[MIXTURE]);
        return ratio;
    }
};

/// q = (1 - alpha) p_c + alpha p_r, kept relative to the likelier side of each column. With a weight of 0 or 1 the one side leads always.
struct ProbabilityAnchor {
    static constexpr AnchorKind KIND = AnchorKind::PROBABILITIES;
    static constexpr bool HAS_SNAPSHOT = true, HAS_REFERENCE = true, HAS_MIXTURE = false;

    template <bool SPECIAL>
    HF_DEVICE static Ratio ratio(const Frame &frame, const Normalisers &n, const Offsets &offsets, float s, float c, float r) {
        const float tau = frame.inverse_temperature, alpha = frame.alpha;
        const float d = fmaf(difference<SPECIAL>(r, c), tau, -offsets.reference_to_snapshot);
        const bool reference_leads = alpha == 1.0f || (alpha != 0.0f && d > 0.0f);
        const float mixture = log_mixture(reference_leads ? alpha : 1.0f - alpha, reference_leads ? 1.0f - alpha : alpha, exponential(-fabsf(d)));
        const float leader = reference_leads ? r : c;
        Ratio ratio;
        ratio.x = fmaf(difference<SPECIAL>(s, leader), tau, -(reference_leads ? offsets.student_to_reference : offsets.student_to_snapshot)) - mixture;
        ratio.log_snapshot_to_anchor = (reference_leads ? -d : 0.0f) - mixture;
        const float anchor_base = reference_leads ? n.base[REFERENCE] : n.base[SNAPSHOT];
        const float anchor_mass = reference_leads ? n.inverse_mass[REFERENCE] : n.inverse_mass[SNAPSHOT];
        const bool student_leads = ratio.x > 0.0f;
        const float power = student_leads ? power_of(frame, s, n.base[STUDENT]) : fmaf(mixture, LOG2_E, power_of(frame, leader, anchor_base));
        ratio.larger = device::fast_exp2(power) * (student_leads ? n.inverse_mass[STUDENT] : anchor_mass);
        return ratio;
    }
};

/// Probabilities of one column, all to full relative precision.
struct Probabilities {
    float x;  // log(p / q)
    float p;
    float q;
    float delta;        // p - q
    Exponential decay;  // of -|x|
};

HF_DEVICE Probabilities probabilities(const Ratio &ratio) {
    const bool student_leads = ratio.x > 0.0f;
    const Exponential decay = exponential(-fabsf(ratio.x));
    const float other = ratio.larger * decay.value;
    const float gap = ratio.larger * decay.minus_one;
    return {ratio.x, student_leads ? ratio.larger : other, student_leads ? other : ratio.larger, student_leads ? -gap : gap, decay};
}

/// log(p / m) and log(q / m) for m = beta q + (1 - beta) p.
struct MidpointRatios {
    float log_p_m;
    float log_q_m;
};

HF_DEVICE MidpointRatios midpoint_ratios(const Probabilities &k, float beta) {
    const bool student_leads = k.x > 0.0f;
    const float leader = -log_mixture(student_leads ? 1.0f - beta : beta, student_leads ? beta : 1.0f - beta, k.decay);
    const float follower = leader - fabsf(k.x);
    return {student_leads ? leader : follower, student_leads ? follower : leader};
}

}  // namespace holdfast::cuda
