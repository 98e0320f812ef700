// Student's and anchor's probabilities and their difference, from the logits or from what the first walk stored. Compiled once per
// instruction set.
#pragma once

#include "loss/anchor_ratio.inc.hpp"

namespace holdfast::HF_VARIANT {
namespace {

/// Sums of the walks after the first.
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

/// Probabilities of one vector of columns, all to full relative precision.
struct Probabilities {
    F x;  // log(p / q)
    F p;
    F q;
    F delta;            // p - q
    F excess;           // q (e^x - 1 - x), the column's part of KL(q || p): no term is negative, so nothing cancels
    Exponential decay;  // of -|x|
};

template <bool SPECIAL>
inline Probabilities probabilities(const Ratio &ratio) {
    const I student_leads = ratio.x > F{};
    const F base = exp(select(student_leads, ratio.log_p, ratio.log_q));
    const Exponential decay = exponential(-absolute(ratio.x));
    const F other = base * decay.value;
    const F difference = base * decay.minus_one;
    const F q = select(student_leads, other, base);
    const F delta = select(student_leads, -difference, difference);
    return {ratio.x, select(student_leads, base, other), q, delta, delta - weighted<SPECIAL>(q, ratio.x), decay};
}

/// Turns masses into probabilities. In two parts, for the rounding of one would be the same for every column, and add up.
struct Scale {
    float high, low;

    /// For masses relative to e^maximum.
    Scale(const Token &t, const Side &side, float maximum) {
        const double exact = shrinkage(maximum, side.maximum, t.inverse_temperature) / side.mass;
        high = static_cast<float>(exact);
        low = static_cast<float>(exact - high);
    }
    inline F apply(F mass) const { return fma(mass, broadcast(high), mass * low); }
};

/// A log-ratio that is finite, for an infinite one would make a column without mass not a number.
inline F bounded(F x) { return min(max(x, broadcast(-__FLT_MAX__)), broadcast(__FLT_MAX__)); }

/// Where e^x - 1 is taken from its series: with x large the probabilities may be subtracted. At the border the one leaves out terms of 4e-8
/// and the other cancels three bits.
inline I is_near(F x) { return absolute(x) < 0.125f; }

/// e^x - 1 - x for x near 0
inline F second_order(F x) {
    return x * x * fma(fma(fma(broadcast(1.0f / 120), x, broadcast(1.0f / 24)), x, broadcast(1.0f / 6)), x, broadcast(0.5f));
}

/// q (e^x - 1 - x)
inline F excess_of(F x, F q, F delta) { return select(is_near(x), q * second_order(x), fma(-q, x, delta)); }

/// a - b for a = b e^x
inline F difference_of(F a, F b, F x) { return select(is_near(x), b * (x + second_order(x)), a - b); }

/// e^-|x| by the ratio of p and q, or by its series where those must agree with x to the last bit.
inline Exponential decay_of(F p, F q, F x) {
    const F ratio = min(p, q) / max(max(p, q), broadcast(__FLT_MIN__));
    const F nearness = -absolute(x);
    const F minus_one = select(is_near(x), nearness + second_order(nearness), ratio - 1.0f);
    return {ratio, minus_one};
}

/// Probabilities of a chunk by what the first walk left of a logit anchor.
class StoredLogitChunk {
public:
    static constexpr bool SPECIAL = false;

    StoredLogitChunk(const Token &t, int64_t begin)
        : student_(t.stored.student + begin),
          anchor_(t.stored.anchor + begin),
          difference_(t.stored.third + begin),
          bits_per_logit_(t.bits_per_logit),
          student_to_anchor_(t, t.s, t.q),
          student_scale_(t, t.s, t.stored.student_maximum[begin / CHUNK]),
          anchor_scale_(t, t.q, t.stored.anchor_maximum[begin / CHUNK]) {}

    template <int DIVERGENCE>
    inline Probabilities at(int64_t v, SecondSums &sums) const {
        const F p = student_scale_.apply(load(student_ + v)), q = anchor_scale_.apply(load(anchor_ + v));
        const F x = bounded(nats(load(difference_ + v), bits_per_logit_, student_to_anchor_));
        const F delta = difference_of(p, q, x);
        const F excess = excess_of(x, q, delta);
        sums.anchor_student.add(excess);
        return {x, p, q, delta, excess, DIVERGENCE == HF_JSD ? decay_of(p, q, x) : Exponential{}};
    }

private:
    const float *student_, *anchor_, *difference_;
    float bits_per_logit_;
    Offset student_to_anchor_;
    Scale student_scale_, anchor_scale_;
};

/// Probabilities of a chunk by its logits and what the first walk left of three sides.
class StoredProbabilityChunk {
public:
    static constexpr bool SPECIAL = false;

    StoredProbabilityChunk(const Token &t, const ProbabilityAnchor &anchor, int64_t begin, const float *s, const float *c, const float *r)
        : anchor_(anchor),
          s_(s),
          c_(c),
          r_(r),
          student_(t.stored.student + begin),
          snapshot_(t.stored.anchor + begin),
          reference_(t.stored.third + begin),
          student_scale_(t, t.s, t.stored.student_maximum[begin / CHUNK]),
          snapshot_scale_(t, t.c, t.stored.anchor_maximum[begin / CHUNK]),
          reference_scale_(t, t.r, t.stored.reference_maximum[begin / CHUNK]) {}

    template <int DIVERGENCE>
    inline Probabilities at(int64_t v, SecondSums &sums) const {
        const F p = student_scale_.apply(load(student_ + v)), c = snapshot_scale_.apply(load(snapshot_ + v)),
                r = reference_scale_.apply(load(reference_ + v));
        const F z_s = load(s_ + v), z_c = load(c_ + v), z_r = load(r_ + v);
        const F s_c = log_ratio(z_s, z_c, anchor_.student_to_snapshot), r_c = log_ratio(z_r, z_c, anchor_.reference_to_snapshot);
        const F apart = difference_of(r, c, r_c);
        const F q = fma(broadcast(anchor_.alpha), apart, c);
        // log q by way of the likelier side, as ProbabilityAnchor has it.
        const I reference_leads = r_c > F{};
        const F mixture = anchor_.log_mixture_of(reference_leads, decay_of(r, c, r_c));
        const F x = select(reference_leads, log_ratio(z_s, z_r, anchor_.student_to_reference), s_c) - mixture;
        const F delta = difference_of(p, q, x);
        const F excess = excess_of(x, q, delta);
        sums.anchor_student.add(excess);
        sums.snapshot_anchor.add(-c * (select(reference_leads, r_c, F{}) + mixture));
        return {x, p, q, delta, excess, DIVERGENCE == HF_JSD ? decay_of(p, q, x) : Exponential{}};
    }

private:
    inline F log_ratio(F a, F b, const Offset &offset) const { return bounded(nats(a - b, anchor_.bits_per_logit, offset)); }

    const ProbabilityAnchor &anchor_;
    const float *s_, *c_, *r_;
    const float *student_, *snapshot_, *reference_;
    Scale student_scale_, snapshot_scale_, reference_scale_;
};

/// Probabilities of a chunk by its logits.
template <class Anchor, bool SPECIAL_>
class ComputedChunk {
public:
    static constexpr bool SPECIAL = SPECIAL_;

    ComputedChunk(const Token &t, const Anchor &anchor, const float *s, const float *c, const float *r)
        : t_(t), anchor_(anchor), snapshot_(t.c), s_(s), c_(c), r_(r) {}

    template <int DIVERGENCE>
    inline Probabilities at(int64_t v, SecondSums &sums) const {
        const F c = load(c_ + v) - t_.c_shift;
        const Ratio ratio = anchor_.template ratio<SPECIAL>(load(s_ + v) - t_.s_shift, c, load(r_ + v) - t_.r_shift);
        const Probabilities k = probabilities<SPECIAL>(ratio);
        sums.anchor_student.add(k.excess);
        if (__is_same(Anchor, ProbabilityAnchor)) {
            const F log_c = snapshot_.apply(c, t_.bits_per_logit);
            sums.snapshot_anchor.add(weighted<SPECIAL>(exp(log_c), log_c - ratio.log_q));
        }
        return k;
    }

private:
    const Token &t_;
    const Anchor &anchor_;
    const Normaliser snapshot_;
    const float *s_, *c_, *r_;
};

/// Calls visit(begin, chunk) with the cheapest source of probabilities for every chunk.
template <class Anchor, class Visit>
void walk(const Token &t, Visit &&visit) {
    constexpr bool LOGITS = __is_same(Anchor, LogitAnchor);
    if (LOGITS && t.stored.complete) {
        for (int64_t begin = 0; begin < t.width; begin += CHUNK) {
            visit(begin, StoredLogitChunk(t, begin));
        }
        return;
    }
    const Anchor anchor(t);
    const float padding = t.stored.complete ? FINITE_PADDING : -INFINITE;
    Scratch s_scratch, c_scratch, r_scratch;
    for (int64_t begin = 0; begin < t.width; begin += CHUNK) {
        const float *s = t.student.chunk(begin, s_scratch.values, padding);
        const float *c = t.snapshot_is_student ? s : t.snapshot.chunk(begin, c_scratch.values, padding);
        const float *r = t.loss.has_reference() ? t.reference.chunk(begin, r_scratch.values, padding) : s;
        if constexpr (!LOGITS) {
            if (t.stored.complete) {
                visit(begin, StoredProbabilityChunk(t, anchor, begin, s, c, r));
                continue;
            }
        }
        if (scan(s).special || scan(c).special || scan(r).special) {
            visit(begin, ComputedChunk<Anchor, true>(t, anchor, s, c, r));
        } else {
            visit(begin, ComputedChunk<Anchor, false>(t, anchor, s, c, r));
        }
    }
}

}  // namespace
}  // namespace holdfast::HF_VARIANT
