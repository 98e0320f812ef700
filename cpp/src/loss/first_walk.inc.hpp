// The first walk over a token's rows: log-sum-exps and most statistics, with running maxima. Compiled once per instruction set.
#pragma once

#include "loss/token.inc.hpp"

namespace holdfast::HF_VARIANT {
namespace {

/// Sums over a chunk; T is F within a block, Sum over blocks, double in the end.
template <class T>
struct FirstTerms {
    T s{}, c{}, r{}, q{}, student_entropy{}, student_reference{}, snapshot_reference{}, snapshot_student{};

    /// Calls visit(own, other's) for every sum.
    template <class Other, class Visit>
    inline void each(FirstTerms<Other> &other, Visit &&visit) {
        visit(s, other.s);
        visit(c, other.c);
        visit(r, other.r);
        visit(q, other.q);
        visit(student_entropy, other.student_entropy);
        visit(student_reference, other.student_reference);
        visit(snapshot_reference, other.snapshot_reference);
        visit(snapshot_student, other.snapshot_student);
    }
};

using FirstSums = FirstTerms<Sum>;

inline void add_block(FirstSums &sums, FirstTerms<F> &block) {
    sums.each(block, [](Sum &sum, F terms) {
        sum.add(terms);
        sum.flush();
    });
}

/// What the rows of a token are and what is wanted of them, known when its kernel is compiled.
template <bool SNAPSHOT_, bool REFERENCE_, AnchorKind ANCHOR_, bool STATISTICS_ = true>
struct Rows {
    static constexpr bool STATISTICS = STATISTICS_;  // without them a mixture needs neither its sides' sums nor their moments
    static constexpr bool SNAPSHOT = SNAPSHOT_;      // apart from the student's
    static constexpr bool REFERENCE = REFERENCE_;
    static constexpr AnchorKind ANCHOR = ANCHOR_;
    static constexpr bool MIXTURE = ANCHOR == AnchorKind::LOGITS;
};

/// The columns of one chunk, in place or in scratch memory.
struct Chunk {
    int64_t begin;
    const float *s;
    const float *c;
    const float *r;
};

/// The same of element type TYPE.
struct RawChunk {
    int64_t begin;
    const void *s;
    const void *c;
    const void *r;
};

struct ChunkScratch {
    Scratch s, c, r;
};

template <class ROWS>
Chunk chunk_of(const Token &t, int64_t begin, float padding, ChunkScratch &scratch) {
    const float *s = t.student.chunk(begin, scratch.s.values, padding);
    return {begin, s, ROWS::SNAPSHOT ? t.snapshot.chunk(begin, scratch.c.values, padding) : s,
            ROWS::REFERENCE ? t.reference.chunk(begin, scratch.r.values, padding) : s};
}

/// The side whose maximum is the anchor's.
template <class ROWS>
const Side &anchor_side(const Token &t) {
    switch (ROWS::ANCHOR) {
        case AnchorKind::LOGITS:
            return t.q;
        case AnchorKind::REFERENCE:
            return t.r;
        default:
            return ROWS::SNAPSHOT ? t.c : t.s;
    }
}

/// The sums of a chunk whose logits are finite and not shifted, and the columns that later walks take from memory. Returns the student's
/// highest logit. `sums` are not finite if a logit was not.
template <class ROWS, int TYPE>
float plain_chunk(const Token &t, const RawChunk &chunk, FirstSums &sums) {
    const F scale = broadcast(t.bits_per_logit);
    const F alpha = broadcast(t.alpha);
    const F s_maximum = broadcast(t.s.maximum), c_maximum = broadcast(t.c.maximum), r_maximum = broadcast(t.r.maximum),
            q_maximum = broadcast(t.q.maximum);
    float *stored_student = t.stored.student + chunk.begin, *stored_anchor = t.stored.anchor + chunk.begin,
          *stored_third = t.stored.third + chunk.begin;
    F highest = broadcast(-INFINITE);
    for (int64_t first = 0; first < CHUNK; first += LANES * BLOCK) {
        FirstTerms<F> block;
        for (int64_t v = first; v < first + LANES * BLOCK; v += LANES) {
            fetch_ahead<TYPE>(chunk.s, v);
            fetch_ahead<TYPE>(chunk.c, v);
            fetch_ahead<TYPE>(chunk.r, v);
            const F s = load_logits<TYPE>(chunk.s, v);
            highest = max(s, highest);
            const F s_centred = s - s_maximum;
            const F s_mass = exp2_of(s_centred, scale);
            block.s += s_mass;
            block.student_entropy = fma(s_mass, s_centred, block.student_entropy);
            F c = s, c_mass = s_mass;
            if (ROWS::SNAPSHOT) {
                c = load_logits<TYPE>(chunk.c, v);
            }
            if (ROWS::SNAPSHOT && ROWS::STATISTICS) {
                c_mass = mass_of(c, c_maximum, scale);
                block.c += c_mass;
                block.snapshot_student = fma(c_mass, c - s, block.snapshot_student);
            }
            F anchor = c, anchor_mass = c_mass, r_mass{};
            if (ROWS::REFERENCE) {
                const F r = load_logits<TYPE>(chunk.r, v);
                if (ROWS::STATISTICS) {
                    r_mass = mass_of(r, r_maximum, scale);
                    block.r += r_mass;
                    block.student_reference = fma(s_mass, s - r, block.student_reference);
                }
                if (ROWS::SNAPSHOT && ROWS::STATISTICS) {
                    block.snapshot_reference = fma(c_mass, c - r, block.snapshot_reference);
                }
                if (ROWS::MIXTURE) {
                    anchor = fma(alpha, r - c, c);
                    anchor_mass = mass_of(anchor, q_maximum, scale);
                    block.q += anchor_mass;
                } else if (ROWS::ANCHOR == AnchorKind::REFERENCE) {
                    anchor = r;
                    anchor_mass = r_mass;
                }
            }
            if (ROWS::ANCHOR != AnchorKind::NONE) {
                store(stored_student + v, s_mass);
                store(stored_anchor + v, anchor_mass);
                store(stored_third + v, ROWS::ANCHOR == AnchorKind::PROBABILITIES ? r_mass : s - anchor);
            }
            if (!ROWS::STATISTICS) {
                // Only to be no number where a logit of a side is not finite.
                block.student_reference = fma(anchor_mass, s - anchor, block.student_reference);
            }
        }
        add_block(sums, block);
    }
    return largest(highest);
}

/// The sums of any chunk.
template <class ROWS>
void special_chunk(const Token &t, const Chunk &chunk, FirstSums &sums) {
    const F scale = broadcast(t.bits_per_logit);
    for (int64_t first = 0; first < CHUNK; first += LANES * BLOCK) {
        FirstTerms<F> block;
        for (int64_t v = first; v < first + LANES * BLOCK; v += LANES) {
            const F s = load(chunk.s + v) - t.s_shift;
            const F s_centred = s - t.s.maximum;
            const F s_mass = exp2_of(s_centred, scale);
            block.s += s_mass;
            block.student_entropy += weighted<true>(s_mass, s_centred);
            const F c = ROWS::SNAPSHOT ? load(chunk.c + v) - t.c_shift : s;
            F c_mass = s_mass;
            if (ROWS::SNAPSHOT) {
                c_mass = mass_of(c, broadcast(t.c.maximum), scale);
                block.c += c_mass;
                block.snapshot_student += weighted<true>(c_mass, c - s);
            }
            if (ROWS::REFERENCE) {
                const F r = load(chunk.r + v) - t.r_shift;
                block.r += mass_of(r, broadcast(t.r.maximum), scale);
                block.student_reference += weighted<true>(s_mass, s - r);
                if (ROWS::SNAPSHOT) {
                    block.snapshot_reference += weighted<true>(c_mass, c - r);
                }
                if (ROWS::MIXTURE) {
                    block.q += mass_of(mix_logits<true>(c, r, broadcast(t.alpha)), broadcast(t.q.maximum), scale);
                }
            }
        }
        add_block(sums, block);
    }
}

/// Raises a side's maximum and shrinks what was summed before.
struct Raised {
    double factor = 1.0;
    double shift = 0.0;  // how far the old maximum lies below the new one, over the temperature
};

inline Raised raise(Side &side, float maximum, double inverse_temperature) {
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

float largest_mixture(const Token &t, const Chunk &chunk) {
    F result = broadcast(-INFINITE);
    for (int64_t v = 0; v < CHUNK; v += LANES) {
        result = max(mix_logits<true>(load(chunk.c + v) - t.c_shift, load(chunk.r + v) - t.r_shift, broadcast(t.alpha)), result);
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

void commit(Token &t, FirstTerms<double> &sums) {
    t.s.mass += sums.s;
    t.c.mass += sums.c;
    t.r.mass += sums.r;
    t.q.mass += sums.q;
    t.moments.student_entropy += sums.student_entropy * t.inverse_temperature;
    t.moments.student_reference += sums.student_reference;
    t.moments.snapshot_reference += sums.snapshot_reference;
    t.moments.snapshot_student += sums.snapshot_student;
}

FirstTerms<double> values_of(FirstSums &sums) {
    FirstTerms<double> values;
    sums.each(values, [](const Sum &sum, double &value) { value = sum.value(); });
    return values;
}

/// Whether sums with the maxima of earlier chunks are as good as with the chunk's own: no logit was so much higher that the sums overflow
/// or that entropies, which are taken from there, cancel.
bool usable(const Token &t, FirstTerms<double> &sums, float highest) {
    constexpr float FARTHEST = 4;  // nats; costs an entropy two bits
    constexpr double LARGEST = 0x1p40;
    double total = sums.s + sums.c + sums.r + sums.q;
    bool finite = total < LARGEST;
    sums.each(sums, [&](double sum, double) { finite = finite && sum - sum == 0; });
    return finite && (highest - t.s.maximum) * t.inverse_temperature <= FARTHEST;
}

template <class ROWS, int TYPE>
bool add_plain(Token &t, const RawChunk &chunk) {
    FirstSums sums;
    const float highest = plain_chunk<ROWS, TYPE>(t, chunk, sums);
    FirstTerms<double> values = values_of(sums);
    if (!usable(t, values, highest)) {
        return false;
    }
    t.note_highest(highest, chunk.begin);
    t.stored.student_maximum[chunk.begin / CHUNK] = t.s.maximum;
    t.stored.anchor_maximum[chunk.begin / CHUNK] = anchor_side<ROWS>(t).maximum;
    t.stored.reference_maximum[chunk.begin / CHUNK] = t.r.maximum;
    commit(t, values);
    return true;
}

/// Sides whose logits lie far from 0 are moved there: the difference of two such logits would round away what distinguishes them, while
/// this subtraction is exact. Ordinary logits stay as they are, so that equal ones of two sides differ by exactly 0.
inline float large_shift(float largest) { return largest > 128.0f || (largest < -128.0f && largest > -INFINITE) ? largest : 0.0f; }

/// Whether a logit is not finite, and the largest logit of each side.
struct ScannedChunk {
    bool special;
    float s, c, r;

    template <class ROWS>
    static ScannedChunk of(const Chunk &chunk, ROWS) {
        const Scan s = scan(chunk.s);
        const Scan c = ROWS::SNAPSHOT ? scan(chunk.c) : s;
        const Scan r = ROWS::REFERENCE ? scan(chunk.r) : s;
        return {s.special || c.special || r.special, s.largest, c.largest, r.largest};
    }
};

template <class ROWS>
void raise_all(Token &t, const Chunk &chunk, const ScannedChunk &largest) {
    if (chunk.begin == 0) {
        t.s_shift = large_shift(largest.s);
        t.c_shift = large_shift(largest.c);
        t.r_shift = large_shift(largest.r);
    }
    raise_student(t, largest.s - t.s_shift);
    raise_snapshot(t, largest.c - t.c_shift);
    raise(t.r, largest.r - t.r_shift, t.inverse_temperature);
    if (ROWS::MIXTURE) {
        raise(t.q, largest_mixture(t, chunk), t.inverse_temperature);
    }
}

template <class ROWS>
bool add_special(Token &t, const Chunk &chunk) {
    if (has_no_distribution(chunk.s) || has_no_distribution(chunk.c) || has_no_distribution(chunk.r)) {
        return false;
    }
    const ScannedChunk largest = ScannedChunk::of(chunk, ROWS());
    raise_all<ROWS>(t, chunk, largest);
    t.note_highest(largest.s - t.s_shift, chunk.begin);
    FirstSums sums;
    special_chunk<ROWS>(t, chunk, sums);
    FirstTerms<double> values = values_of(sums);
    commit(t, values);
    t.stored.complete = false;
    return true;
}

/// Adds a chunk with maxima that are raised to its own.
template <class ROWS>
bool add_raised(Token &t, const Chunk &chunk) {
    const ScannedChunk largest = ScannedChunk::of(chunk, ROWS());
    if (largest.special) {
        return false;
    }
    raise_all<ROWS>(t, chunk, largest);
    return !t.shifted() && add_plain<ROWS, HF_FLOAT>(t, {chunk.begin, chunk.s, chunk.c, chunk.r});
}

/// Adds a chunk as it lies in memory, with the maxima of those before; false if that cannot be done.
template <class ROWS, int TYPE>
bool add_in_place(Token &t, int64_t begin) {
    return add_plain<ROWS, TYPE>(t, {begin, t.student.raw(begin), t.snapshot.raw(begin), t.reference.raw(begin)});
}

template <class ROWS>
bool add_in_place(Token &t, int64_t begin) {
    if (begin == 0 || t.shifted()) {
        return false;
    }
    const auto all_are = [&](int32_t type) {
        return t.student.is(type, begin) && (!ROWS::SNAPSHOT || t.snapshot.is(type, begin)) &&
               (!ROWS::REFERENCE || t.reference.is(type, begin));
    };
    if (all_are(HF_FLOAT)) {
        return add_in_place<ROWS, HF_FLOAT>(t, begin);
    }
    if (all_are(HF_BFLOAT16)) {
        return add_in_place<ROWS, HF_BFLOAT16>(t, begin);
    }
    return all_are(HF_FLOAT16) && add_in_place<ROWS, HF_FLOAT16>(t, begin);
}

/// False if a row has no distribution. Most chunks are added as they come, with the maxima of those before.
template <class ROWS>
bool first_walk(Token &t) {
    ChunkScratch scratch;
    t.stored.complete = ROWS::ANCHOR != AnchorKind::NONE;
    for (int64_t begin = 0; begin < t.width; begin += CHUNK) {
        if (add_in_place<ROWS>(t, begin) || add_raised<ROWS>(t, chunk_of<ROWS>(t, begin, FINITE_PADDING, scratch))) {
            continue;
        }
        if (!add_special<ROWS>(t, chunk_of<ROWS>(t, begin, -INFINITE, scratch))) {
            return false;
        }
    }
    const bool sides = !ROWS::STATISTICS || ((!ROWS::SNAPSHOT || t.c.mass > 0) && (!ROWS::REFERENCE || t.r.mass > 0));
    return t.s.mass > 0 && sides && (!ROWS::MIXTURE || t.q.mass > 0);
}

template <bool SNAPSHOT>
bool first_walk_with_reference(Token &t) {
    switch (t.anchor_kind()) {
        case AnchorKind::LOGITS:
            return t.loss.outputs.statistics == nullptr ? first_walk<Rows<SNAPSHOT, true, AnchorKind::LOGITS, false>>(t)
                                                        : first_walk<Rows<SNAPSHOT, true, AnchorKind::LOGITS>>(t);
        case AnchorKind::SNAPSHOT:
            return first_walk<Rows<SNAPSHOT, true, AnchorKind::SNAPSHOT>>(t);
        case AnchorKind::REFERENCE:
            return first_walk<Rows<SNAPSHOT, true, AnchorKind::REFERENCE>>(t);
        default:
            return first_walk<Rows<SNAPSHOT, true, AnchorKind::PROBABILITIES>>(t);
    }
}

bool first_walk_of(Token &t) {
    const bool snapshot = !t.snapshot_is_student;
    if (t.loss.has_reference()) {
        return snapshot ? first_walk_with_reference<true>(t) : first_walk_with_reference<false>(t);
    }
    return snapshot ? first_walk<Rows<true, false, AnchorKind::NONE>>(t) : first_walk<Rows<false, false, AnchorKind::NONE>>(t);
}

}  // namespace
}  // namespace holdfast::HF_VARIANT
