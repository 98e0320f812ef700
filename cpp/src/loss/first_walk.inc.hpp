// The first walk over a token's rows: log-sum-exps and most statistics, with running maxima. Compiled once per instruction set.
#pragma once

#include "loss/token.inc.hpp"

namespace holdfast::HF_VARIANT {
namespace {

struct FirstSums {
    Sum s, c, r, q, student_entropy, student_reference, snapshot_reference, snapshot_student;

    void flush() {
        s.flush();
        c.flush();
        r.flush();
        q.flush();
        student_entropy.flush();
        student_reference.flush();
        snapshot_reference.flush();
        snapshot_student.flush();
    }
};

template <bool SNAPSHOT, bool REFERENCE, bool MIXTURE, bool SPECIAL>
void first_chunk(const Token &t, const float *zs, const float *zc, const float *zr, FirstSums &sums) {
    const float tau = t.inverse_temperature;
    const F alpha = broadcast(t.alpha);
    for (int64_t block = 0; block < CHUNK; block += LANES * BLOCK) {
        for (int64_t v = block; v < block + LANES * BLOCK; v += LANES) {
            const F s = load(zs + v) - t.s_shift;
            const F s_centred = centred(s, t.s.maximum, tau);
            const F s_mass = exp(s_centred);
            sums.s.add(s_mass);
            sums.student_entropy.add(weighted<SPECIAL>(s_mass, s_centred));
            const F c = SNAPSHOT ? load(zc + v) - t.c_shift : s;
            F c_mass = s_mass;
            if (SNAPSHOT) {
                c_mass = exp(centred(c, t.c.maximum, tau));
                sums.c.add(c_mass);
                sums.snapshot_student.add(weighted<SPECIAL>(c_mass, c - s));
            }
            if (REFERENCE) {
                const F r = load(zr + v) - t.r_shift;
                sums.r.add(exp(centred(r, t.r.maximum, tau)));
                sums.student_reference.add(weighted<SPECIAL>(s_mass, s - r));
                if (SNAPSHOT) {
                    sums.snapshot_reference.add(weighted<SPECIAL>(c_mass, c - r));
                }
                if (MIXTURE) {
                    sums.q.add(exp(centred(mix_logits<SPECIAL>(c, r, alpha), t.q.maximum, tau)));
                }
            }
        }
        sums.flush();
    }
}

/// Raises a side's maximum and shrinks what was summed before.
struct Raised {
    double factor = 1.0;
    double shift = 0.0;  // how far the old maximum lies below the new one, over the temperature
};

inline Raised raise(Side &side, float maximum, float inverse_temperature) {
    if (!(maximum > side.maximum)) {
        return {};
    }
    Raised raised;
    raised.factor = shrinkage(side.maximum, maximum, inverse_temperature);
    raised.shift = raised.factor == 0.0 ? 0.0 : (static_cast<double>(maximum) - side.maximum) * inverse_temperature;
    side.mass *= raised.factor;
    side.maximum = maximum;
    return raised;
}

inline double shrink(double sum, double factor) { return factor == 0.0 ? 0.0 : sum * factor; }

template <bool SPECIAL>
float largest_mixture(const Token &t, const float *c, const float *r) {
    F result = broadcast(-INFINITE);
    for (int64_t v = 0; v < CHUNK; v += LANES) {
        result = max(mix_logits<SPECIAL>(load(c + v) - t.c_shift, load(r + v) - t.r_shift, broadcast(t.alpha)), result);
    }
    return largest(result);
}

void raise_student(Token &t, float maximum) {
    const Raised raised = raise(t.s, maximum, t.inverse_temperature);
    const double mass = t.s.mass;  // already shrunk
    t.moments.student_entropy = shrink(t.moments.student_entropy, raised.factor) - mass * raised.shift;
    t.moments.student_reference = shrink(t.moments.student_reference, raised.factor);
}

void raise_snapshot(Token &t, float maximum) {
    const Raised raised = raise(t.c, maximum, t.inverse_temperature);
    t.moments.snapshot_reference = shrink(t.moments.snapshot_reference, raised.factor);
    t.moments.snapshot_student = shrink(t.moments.snapshot_student, raised.factor);
}

template <bool SNAPSHOT, bool REFERENCE, bool MIXTURE>
void add_chunk(Token &t, const float *zs, const float *zc, const float *zr, bool special) {
    FirstSums sums;
    if (special) {
        first_chunk<SNAPSHOT, REFERENCE, MIXTURE, true>(t, zs, zc, zr, sums);
    } else {
        first_chunk<SNAPSHOT, REFERENCE, MIXTURE, false>(t, zs, zc, zr, sums);
    }
    t.s.mass += sums.s.value();
    t.moments.student_entropy += sums.student_entropy.value();
    if (SNAPSHOT) {
        t.c.mass += sums.c.value();
        t.moments.snapshot_student += sums.snapshot_student.value();
    }
    if (REFERENCE) {
        t.r.mass += sums.r.value();
        t.moments.student_reference += sums.student_reference.value();
        t.moments.snapshot_reference += sums.snapshot_reference.value();
    }
    if (MIXTURE) {
        t.q.mass += sums.q.value();
    }
}

/// Sides whose logits lie far from 0 are moved there: the difference of two such logits would round away what distinguishes them, while
/// this subtraction is exact. Ordinary logits stay as they are, so that equal ones of two sides differ by exactly 0.
inline float large_shift(float largest) { return largest > 128.0f || (largest < -128.0f && largest > -INFINITE) ? largest : 0.0f; }

/// False if a row has no distribution.
template <bool SNAPSHOT, bool REFERENCE, bool MIXTURE>
bool first_walk(Token &t) {
    Scratch s_scratch, c_scratch, r_scratch;
    for (int64_t begin = 0; begin < t.width; begin += CHUNK) {
        const float *zs = t.student.chunk(begin, s_scratch.values);
        const float *zc = SNAPSHOT ? t.snapshot.chunk(begin, c_scratch.values) : zs;
        const float *zr = REFERENCE ? t.reference.chunk(begin, r_scratch.values) : zs;
        const Scan s = scan(zs);
        const Scan c = SNAPSHOT ? scan(zc) : s;
        const Scan r = REFERENCE ? scan(zr) : s;
        const bool special = s.special || c.special || r.special;
        if (special && (has_no_distribution(zs) || has_no_distribution(zc) || has_no_distribution(zr))) {
            return false;
        }
        if (begin == 0) {
            t.s_shift = large_shift(s.largest);
            t.c_shift = large_shift(c.largest);
            t.r_shift = large_shift(r.largest);
        }
        if (s.largest - t.s_shift > t.s.maximum) {
            t.s_highest = begin;
        }
        raise_student(t, s.largest - t.s_shift);
        raise_snapshot(t, c.largest - t.c_shift);
        raise(t.r, r.largest - t.r_shift, t.inverse_temperature);
        if (MIXTURE) {
            const float largest = special ? largest_mixture<true>(t, zc, zr) : largest_mixture<false>(t, zc, zr);
            raise(t.q, largest, t.inverse_temperature);
        }
        add_chunk<SNAPSHOT, REFERENCE, MIXTURE>(t, zs, zc, zr, special);
    }
    return t.s.mass > 0 && (!SNAPSHOT || t.c.mass > 0) && (!REFERENCE || t.r.mass > 0) && (!MIXTURE || t.q.mass > 0);
}

bool first_walk_of(Token &t) {
    const bool snapshot = !t.snapshot_is_student;
    if (!t.loss.has_reference()) {
        return snapshot ? first_walk<true, false, false>(t) : first_walk<false, false, false>(t);
    }
    if (t.logit_mixture()) {
        return snapshot ? first_walk<true, true, true>(t) : first_walk<false, true, true>(t);
    }
    return snapshot ? first_walk<true, true, false>(t) : first_walk<false, true, false>(t);
}

}  // namespace
}  // namespace holdfast::HF_VARIANT
