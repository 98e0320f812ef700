// The walk over a token's rows that gives the masses of the sides and most statistics. Each thread sums relative to a power of two of its
// own, which it raises as larger logits come; blocks and clusters put the sums together by whole powers of two, which is exact.
#pragma once

#include "cuda/board.hpp"
#include "cuda/column.hpp"
#include "cuda/row_source.hpp"

namespace holdfast::cuda {

/// Sums of the first walk. The first ones are the masses of the sides: sums of 2^(exponent_scale z - base).
///
/// A gain is how much larger the one mass is than the other. It is summed column by column, as a series where the two are close, for the
/// logarithms of two masses would round away what distinguishes a student from its anchor.
enum FirstSum {
    REFERENCE_GAIN = MIXTURE,    // of the reference over the snapshot; for anchors of probabilities, which have no mixture
    STUDENT_GAIN = SIDES,        // of the student over the mixture, or over the snapshot for anchors of probabilities
    STUDENT_REFERENCE,           // sum of the student's terms times (s - r)
    SNAPSHOT_REFERENCE,          // sum of the snapshot's terms times (c - r)
    SNAPSHOT_STUDENT,            // sum of the snapshot's terms times (c - s)
    STUDENT_MEAN = STUDENT_GAIN  // sum of the student's terms times (s - centre); without an anchor
};
static_assert(SNAPSHOT_STUDENT + 1 == SUMS, "the board carries the sums of the first walk");

/// The side whose base a sum is relative to.
template <class Anchor>
HF_DEVICE constexpr int side_of(int sum) {
    if (sum == STUDENT_GAIN) {
        return Anchor::HAS_MIXTURE ? MIXTURE : Anchor::HAS_REFERENCE ? SNAPSHOT : STUDENT;
    }
    if (sum == REFERENCE_GAIN && !Anchor::HAS_MIXTURE) {
        return SNAPSHOT;
    }
    return sum < SIDES ? sum : sum == STUDENT_REFERENCE ? STUDENT : SNAPSHOT;
}

/// Maxima that the threads put together: of the sides, and of the negated logits, which is infinite if a logit is -inf.
constexpr int LOWEST = SIDES;
static_assert(LOWEST + 1 == PEAKS, "the board carries the maxima of the first walk");

/// The base of a side without finite logits; all its terms are 0.
constexpr float LOWEST_BASE = -1e30f;

/// The smallest whole number that no exponent exceeds.
HF_DEVICE float base_of(float largest, float exponent_scale) {
    const float base = ceilf(largest * exponent_scale);
    return base < LOWEST_BASE ? LOWEST_BASE : base;
}

/// 2^n for a whole n; 0 below the normal numbers and infinite above.
HF_DEVICE float power_of_two(float n) {
    if (n >= 128.0f) {
        return INFINITE;
    }
    return n > -127.0f ? device::bits_as<float>((static_cast<int32_t>(n) + 127) << 23) : 0.0f;
}

/// Floats that fold into doubles every so often, so that the error does not grow with the length of a row. What a block keeps on the chip
/// is so short that floats alone do.
template <int COUNT, bool FOLDS>
struct Sums {
    static constexpr int GROUPS_PER_FOLD = 8;

    float parts[COUNT] = {};
    double totals[FOLDS ? COUNT : 1] = {};
    int groups = 0;

    HF_DEVICE void end_group() {
        if (FOLDS && ++groups % GROUPS_PER_FOLD == 0) {
            fold();
        }
    }

    HF_DEVICE void scale(int i, float factor) {
        parts[i] *= factor;
        if (FOLDS) {
            totals[i] *= static_cast<double>(factor);
        }
    }

    HF_DEVICE double value(int i) const { return static_cast<double>(parts[i]) + (FOLDS ? totals[i] : 0.0); }

private:
    HF_DEVICE void fold() {
        HF_UNROLL for (int i = 0; i < COUNT; ++i) {
            totals[i] += static_cast<double>(parts[i]);
            parts[i] = 0.0f;
        }
    }
};

/// A thread's largest logit of the student, and the first group that has it.
struct Highest {
    float logit = -INFINITE;
    int group = 0;

    HF_DEVICE void see(float largest, int at) {
        if (largest > logit) {
            logit = largest;
            group = at;
        }
    }
};

/// What a thread knows of the rows' sizes before it sums: maxima of its logits as they are given.
struct Survey {
    float peaks[PEAKS] = {-INFINITE, -INFINITE, -INFINITE, -INFINITE, -INFINITE};
    Highest highest;

    /// The -inf of columns that a group lacks do not count: they do not make the whole row special.
    template <class Anchor, class Element>
    HF_DEVICE void see(int group, bool is_whole, const Groups<Element> &raw) {
        const Extremes s = Element::extremes(raw.student);
        highest.see(s.largest, group);
        see(STUDENT, is_whole, s);
        if (Anchor::HAS_SNAPSHOT) {
            see(SNAPSHOT, is_whole, Element::extremes(raw.snapshot));
        }
        if (Anchor::HAS_REFERENCE) {
            see(REFERENCE, is_whole, Element::extremes(raw.reference));
        }
    }

private:
    HF_DEVICE void see(int side, bool is_whole, const Extremes &extremes) {
        peaks[side] = device::max_or_nan(peaks[side], extremes.largest);
        if (is_whole) {
            peaks[LOWEST] = device::max_or_nan(peaks[LOWEST], -extremes.smallest);
        }
    }
};

/// Sides whose logits lie far from 0 are moved there: the difference of two such logits would round away what distinguishes them, while
/// this subtraction is exact. Ordinary logits stay as they are, so that equal ones of two sides differ by exactly 0.
HF_DEVICE float large_shift(float largest) { return largest > 128.0f || (largest < -128.0f && largest > -INFINITE) ? largest : 0.0f; }

/// Whether some logit is -inf, or so low that its log-ratios may be.
HF_DEVICE bool is_special(const float (&peaks)[PEAKS]) { return !(peaks[LOWEST] < 1e30f); }

/// Takes the survey's maxima as what the frame is built on.
HF_DEVICE void set_frame(Frame &frame, const float (&peaks)[PEAKS]) {
    frame.is_special = is_special(peaks);
    HF_UNROLL for (int side = STUDENT; side < MIXTURE; ++side) {
        frame.shift[side] = large_shift(peaks[side]);
        frame.is_special = frame.is_special || frame.shift[side] != 0.0f;
    }
    frame.student_centre = peaks[STUDENT] > -INFINITE ? peaks[STUDENT] - frame.shift[STUDENT] : 0.0f;
}

/// Columns of a group that are computed side by side: as many as registers allow, and one of special groups, which are rare, to keep the
/// code small.
template <bool SPECIAL, class Element>
HF_DEVICE constexpr int columns_at_once(int most) {
    return SPECIAL ? 1 : most < Element::COLUMNS ? most : Element::COLUMNS;
}

/// The logits of one group as floats, moved by the frame's shifts where it has any.
template <class Element>
struct Logits {
    float s[Element::COLUMNS] = {}, c[Element::COLUMNS] = {}, r[Element::COLUMNS] = {};

    template <class Anchor, bool SPECIAL>
    HF_DEVICE static Logits of(const Frame &frame, const Groups<Element> &raw) {
        Logits z;
        widen<SPECIAL>(raw.student, frame.shift[STUDENT], z.s);
        if (Anchor::HAS_SNAPSHOT) {
            widen<SPECIAL>(raw.snapshot, frame.shift[SNAPSHOT], z.c);
        }
        if (Anchor::HAS_REFERENCE) {
            widen<SPECIAL>(raw.reference, frame.shift[REFERENCE], z.r);
        }
        return z;
    }

    /// Calls visit(s, c, r) for every column, of which STEP are computed side by side.
    template <int STEP, class Visit>
    HF_DEVICE void each(Visit &&visit) const {
        HF_KEEP_LOOP for (int begin = 0; begin < Element::COLUMNS; begin += STEP) {
            HF_UNROLL for (int i = 0; i < STEP; ++i) { visit(pick<STEP>(s, begin, i), pick<STEP>(c, begin, i), pick<STEP>(r, begin, i)); }
        }
    }

    /// The same, and keeps what visit returns.
    template <int STEP, class Visit>
    HF_DEVICE void each(float (&results)[Element::COLUMNS], Visit &&visit) const {
        HF_KEEP_LOOP for (int begin = 0; begin < Element::COLUMNS; begin += STEP) {
            HF_UNROLL for (int i = 0; i < STEP; ++i) {
                put<STEP>(results, begin, i, visit(pick<STEP>(s, begin, i), pick<STEP>(c, begin, i), pick<STEP>(r, begin, i)));
            }
        }
    }

private:
    template <bool SPECIAL>
    HF_DEVICE static void widen(const Bytes16 &raw, float shift, float (&z)[Element::COLUMNS]) {
        Element::widen(raw, z);
        if (SPECIAL) {
            HF_UNROLL for (int i = 0; i < Element::COLUMNS; ++i) { z[i] -= shift; }
        }
    }
};

/// How much larger the first of two terms is, both relative to the second's base; `ratio` is 2^(base of the first - base of the second).
template <bool SPECIAL>
HF_DEVICE float gain(const Frame &frame, float term_a, float term_b, float ratio, float a, float b) {
    const float x = LN_2 * frame.exponent_scale * difference<SPECIAL>(a, b);
    return fabsf(x) < SERIES_LIMIT ? term_b * expm1_series(x) : fmaf(term_a, ratio, -term_b);
}

/// The state of a thread in the first walk. Gains are summed for rows of floats, which take longer to arrive than this takes; the gradients
/// of half types are rounded more coarsely than what they improve.
template <class Anchor, bool FOLDS, bool HAS_GAINS>
struct FirstWalk {
    float peaks[PEAKS];  // of the shifted logits
    float base[SIDES];
    Sums<SUMS, FOLDS> sums;

    HF_DEVICE FirstWalk(const Frame &frame, const float (&surveyed)[PEAKS], float mixture_peak) {
        HF_UNROLL for (int side = 0; side < SIDES; ++side) {
            peaks[side] = side == MIXTURE ? mixture_peak : surveyed[side] - frame.shift[side];
            base[side] = base_of(peaks[side], frame.exponent_scale);
        }
        peaks[LOWEST] = surveyed[LOWEST];
    }

    /// Lets a side's base hold for a larger logit.
    HF_DEVICE void raise(const Frame &frame, int side, float largest) {
        if (largest <= peaks[side]) {
            return;
        }
        peaks[side] = device::max_or_nan(peaks[side], largest);
        rebase(side, base_of(peaks[side], frame.exponent_scale));
    }

    HF_DEVICE void rebase(int side, float new_base) {
        const float factor = power_of_two(base[side] - new_base);
        base[side] = new_base;
        HF_UNROLL for (int i = 0; i < SUMS; ++i) {
            if (side_of<Anchor>(i) == side) {
                sums.scale(i, factor);
            }
        }
    }

    template <bool SPECIAL, class Element>
    HF_DEVICE void add(const Frame &frame, const Logits<Element> &z) {
        constexpr int STEP = columns_at_once<SPECIAL, Element>(Element::COLUMNS);
        if (Anchor::HAS_MIXTURE) {
            float largest = -INFINITE;
            z.template each<STEP>(
                [&](float, float c, float r) { largest = device::max_or_nan(largest, mix_logits<SPECIAL>(c, r, frame.alpha)); });
            raise(frame, MIXTURE, largest);
        }
        const float student_ratio = power_of_two(base[STUDENT] - base[side_of<Anchor>(STUDENT_GAIN)]);
        const float reference_ratio = power_of_two(base[REFERENCE] - base[side_of<Anchor>(REFERENCE_GAIN)]);
        z.template each<STEP>([&](float s, float c, float r) { add<SPECIAL>(frame, s, c, r, student_ratio, reference_ratio); });
        sums.end_group();
    }

private:
    template <bool SPECIAL>
    HF_DEVICE void add(const Frame &frame, float s, float c, float r, float student_ratio, float reference_ratio) {
        float(&parts)[SUMS] = sums.parts;
        const float s_term = term(frame, s, base[STUDENT]);
        parts[STUDENT] += s_term;
        if (!Anchor::HAS_REFERENCE) {
            parts[STUDENT_MEAN] += weighted<SPECIAL>(s_term, s - frame.student_centre);
        }
        if (!Anchor::HAS_SNAPSHOT) {
            return;
        }
        const float c_term = term(frame, c, base[SNAPSHOT]);
        parts[SNAPSHOT] += c_term;
        parts[SNAPSHOT_STUDENT] += weighted<SPECIAL>(c_term, c - s);
        if (!Anchor::HAS_REFERENCE) {
            return;
        }
        const float r_term = term(frame, r, base[REFERENCE]);
        parts[REFERENCE] += r_term;
        parts[STUDENT_REFERENCE] += weighted<SPECIAL>(s_term, s - r);
        parts[SNAPSHOT_REFERENCE] += weighted<SPECIAL>(c_term, c - r);
        if (Anchor::HAS_MIXTURE) {
            const float z = mix_logits<SPECIAL>(c, r, frame.alpha), z_term = term(frame, z, base[MIXTURE]);
            parts[MIXTURE] += z_term;
            if (HAS_GAINS) {
                parts[STUDENT_GAIN] += gain<SPECIAL>(frame, s_term, z_term, student_ratio, s, z);
            }
        } else if (HAS_GAINS) {
            parts[STUDENT_GAIN] += gain<SPECIAL>(frame, s_term, c_term, student_ratio, s, c);
            parts[REFERENCE_GAIN] += gain<SPECIAL>(frame, r_term, c_term, reference_ratio, r, c);
        }
    }
};

/// Where mixed logits are taken to reach: what the maxima of the two sides give. Equal sides then have equal bases, and sums of the same
/// bits.
HF_DEVICE float mixture_peak(const Frame &frame, const float (&surveyed)[PEAKS]) {
    return mix_logits<true>(surveyed[SNAPSHOT] - frame.shift[SNAPSHOT], surveyed[REFERENCE] - frame.shift[REFERENCE], frame.alpha);
}

/// Where the two sides reach high in different columns their mixture stays so far below that floats do not hold its terms.
constexpr double LEAST_MIXTURE_MASS = 0x1p-60;

/// The whole first walk of a thread. Rows on the chip were surveyed to their end, streamed ones are surveyed on the way.
template <class Anchor, class Element, class Source>
HF_DEVICE auto first_walk(const Frame &frame, const Source &source, const float (&surveyed)[PEAKS], float mixture_peak, Highest &highest) {
    FirstWalk<Anchor, !Source::KEEPS_ROW, Element::HAS_GAINS> walk(frame, surveyed, mixture_peak);
    source.template walk<false>([&](int group, const Groups<Element> &raw) {
        const bool is_whole = source.rows.whole.has(group);
        bool special = frame.is_special || !is_whole;
        if (!Source::KEEPS_ROW) {
            Survey seen;
            seen.see<Anchor>(group, is_whole, raw);
            highest.see(seen.peaks[STUDENT], group);
            HF_UNROLL for (int side = STUDENT; side < MIXTURE; ++side) { walk.raise(frame, side, seen.peaks[side] - frame.shift[side]); }
            walk.peaks[LOWEST] = device::max_or_nan(walk.peaks[LOWEST], seen.peaks[LOWEST]);
            special = special || is_special(seen.peaks);
        }
        if (special) {
            walk.template add<true>(frame, Logits<Element>::template of<Anchor, true>(frame, raw));
        } else {
            walk.template add<false>(frame, Logits<Element>::template of<Anchor, false>(frame, raw));
        }
    });
    return walk;
}

}  // namespace holdfast::cuda
