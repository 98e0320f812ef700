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

/// Probabilities of a chunk by what the first walk left.
class StoredChunk {
public:
    static constexpr bool SPECIAL = false;

    StoredChunk(const Token &t, int64_t begin)
        : student_(t.stored.student + begin),
          anchor_(t.stored.anchor + begin),
          difference_(t.stored.difference + begin),
          bits_per_logit_(t.bits_per_logit),
          student_to_anchor_(t, t.s, t.q),
          student_scale_(t, t.s, t.stored.student_maximum[begin / CHUNK]),
          anchor_scale_(t, t.q, t.stored.anchor_maximum[begin / CHUNK]) {}

    /// With x small p - q is q times the series of e^x - 1, with x large it may be subtracted. Between the two, at 1 / 8, the one leaves
    /// out terms of 4e-8 and the other cancels three bits.
    template <int DIVERGENCE>
    inline Probabilities at(int64_t v, SecondSums &sums) const {
        const F p = student_scale_.apply(load(student_ + v)), q = anchor_scale_.apply(load(anchor_ + v));
        // Bounded, for an infinite ratio would make a column without mass not a number.
        const F unbounded = nats(load(difference_ + v), bits_per_logit_, student_to_anchor_);
        const F x = min(max(unbounded, broadcast(-__FLT_MAX__)), broadcast(__FLT_MAX__));
        const F series = x * x * fma(fma(fma(broadcast(1.0f / 120), x, broadcast(1.0f / 24)), x, broadcast(1.0f / 6)), x, broadcast(0.5f));
        const I near = absolute(x) < 0.125f;
        const F delta = select(near, q * (x + series), p - q);
        const F excess = select(near, q * series, fma(-q, x, delta));
        sums.anchor_student.add(excess);
        return {x, p, q, delta, excess, DIVERGENCE == HF_JSD ? decay(p, q, delta) : Exponential{}};
    }

private:
    /// Turns masses into probabilities. In two parts, for the rounding of one would be the same for every column, and add up.
    struct Scale {
        float high, low;

        Scale(const Token &t, const Side &side, float maximum) {
            const double exact = shrinkage(maximum, side.maximum, t.inverse_temperature) / side.mass;
            high = static_cast<float>(exact);
            low = static_cast<float>(exact - high);
        }
        inline F apply(F mass) const { return fma(mass, broadcast(high), mass * low); }
    };

    /// e^-|x| by the ratio of p and q.
    static inline Exponential decay(F p, F q, F delta) {
        const F leader = max(max(p, q), broadcast(__FLT_MIN__));
        return {min(p, q) / leader, -absolute(delta) / leader};
    }

    const float *student_, *anchor_, *difference_;
    float bits_per_logit_;
    Offset student_to_anchor_;
    Scale student_scale_, anchor_scale_;
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
    if (t.stored.complete) {
        for (int64_t begin = 0; begin < t.width; begin += CHUNK) {
            visit(begin, StoredChunk(t, begin));
        }
        return;
    }
    const Anchor anchor(t);
    Scratch s_scratch, c_scratch, r_scratch;
    for (int64_t begin = 0; begin < t.width; begin += CHUNK) {
        const float *s = t.student.chunk(begin, s_scratch.values);
        const float *c = t.snapshot_is_student ? s : t.snapshot.chunk(begin, c_scratch.values);
        const float *r = t.loss.has_reference() ? t.reference.chunk(begin, r_scratch.values) : s;
        if (scan(s).special || scan(c).special || scan(r).special) {
            visit(begin, ComputedChunk<Anchor, true>(t, anchor, s, c, r));
        } else {
            visit(begin, ComputedChunk<Anchor, false>(t, anchor, s, c, r));
        }
    }
}

}  // namespace
}  // namespace holdfast::HF_VARIANT
