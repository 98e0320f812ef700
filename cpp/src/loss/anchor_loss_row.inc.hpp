// One token of the anchor loss, vectorised. Compiled once per instruction set.
//
// The row is walked in chunks that stay in the first-level cache. One walk gives the log-sum-exps and most statistics (the running
// maximum of a row is raised chunk by chunk), one more gives the gradient. Reverse KL and JSD need their value before the gradient and
// walk once more. Every walk after the first finds the row in a cache unless it is very long.
//
// Nothing is computed as a difference of probabilities: with x = log(p / q) the kernel forms p - q = q expm1(x), so that a student
// close to its anchor gets an accurate gradient and a student equal to its anchor gets exactly 0.
#include <cmath>

#include "loss/anchor_loss.hpp"
#include "loss/element.hpp"
#include "simd/vector.inc.hpp"

namespace holdfast::HF_VARIANT {
namespace {

constexpr int64_t CHUNK = 1024;
static_assert(CHUNK % (LANES * BLOCK) == 0, "a chunk is a whole number of blocks");

constexpr float INFINITE = __builtin_huge_valf();

/// A row of one side as float chunks. Columns beyond its vocabulary are -inf.
class Row {
public:
    Row(const hf_logits &logits, int64_t token)
        : data_(static_cast<const char *>(logits.data) + token * logits.row_stride * element_bytes(logits.element_type)),
          vocabulary_size_(logits.vocabulary_size),
          element_type_(logits.element_type) {}

    /// Points to the columns [begin, begin + CHUNK), in place where that is possible.
    const float *chunk(int64_t begin, float *scratch) const {
        if (element_type_ == HF_FLOAT && begin + CHUNK <= vocabulary_size_) {
            return reinterpret_cast<const float *>(data_) + begin;
        }
        const int64_t present = begin >= vocabulary_size_ ? 0 : smaller(vocabulary_size_ - begin, CHUNK);
        convert(begin, present, scratch);
        for (int64_t v = present; v < CHUNK; ++v) {
            scratch[v] = -INFINITE;
        }
        return scratch;
    }

    float at(int64_t column) const { return column < vocabulary_size_ ? element_at(data_, element_type_, column) : -INFINITE; }

private:
    static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

    void convert(int64_t begin, int64_t count, float *scratch) const {
        if (element_type_ == HF_FLOAT) {
            std::memcpy(scratch, reinterpret_cast<const float *>(data_) + begin, static_cast<size_t>(count) * sizeof(float));
            return;
        }
        const uint16_t *source = reinterpret_cast<const uint16_t *>(data_) + begin;
        if (element_type_ == HF_BFLOAT16) {
            for (int64_t v = 0; v < count; ++v) {
                scratch[v] = bfloat_to_float(source[v]);
            }
            return;
        }
        int64_t v = 0;
#if defined(__AVX2__)
        for (; v + 8 <= count; v += 8) {
            _mm256_storeu_ps(scratch + v, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i *>(source + v))));
        }
#endif
        for (; v < count; ++v) {
            scratch[v] = half_to_float(source[v]);
        }
    }

    const char *data_;
    int64_t vocabulary_size_;
    int32_t element_type_;
};

struct alignas(64) Scratch {
    float values[CHUNK];
};

/// Largest logit of a chunk and whether some logit is not finite.
struct Scan {
    float largest;
    bool special;
};

inline Scan scan(const float *z) {
    F largest_lanes = broadcast(-INFINITE);
    F check = F{};
    for (int64_t v = 0; v < CHUNK; v += LANES) {
        const F value = load(z + v);
        largest_lanes = max(value, largest_lanes);
        check = fma(value, F{}, check);  // 0 for finite logits, NaN once there was another
    }
    return {largest(largest_lanes), any(~(check == F{}))};
}

bool has_no_distribution(const float *z) {
    for (int64_t v = 0; v < CHUNK; ++v) {
        if (!(z[v] < INFINITE)) {
            return true;
        }
    }
    return false;
}

/// Running sums of one distribution: maximum of the logits over the temperature excluded, everything is relative to e^maximum.
struct Side {
    float maximum = -__FLT_MAX__;
    double mass = 0;  // sum of e^((z - maximum) / temperature)

    double log_mass() const { return std::log(mass); }
};

/// e^((from - to) / temperature), the factor by which sums shrink when a maximum is raised.
inline double shrinkage(float from, float to, double inverse_temperature) {
    return std::exp((static_cast<double>(from) - to) * inverse_temperature);
}

/// Expectations under student and snapshot that the statistics are made of, relative like their side's mass.
struct Moments {
    double student_entropy = 0;     // sum e_s (s - max_s) / temperature
    double student_reference = 0;   // sum e_s (s - r); shifts cancel against those of the maxima
    double snapshot_reference = 0;  // sum e_c (c - r)
    double snapshot_student = 0;    // sum e_c (c - s)
};

/// What the walks over one token's rows share.
struct Token {
    const AnchorLoss &loss;
    int64_t index;
    int64_t width;
    Row student;
    Row snapshot;
    Row reference;
    bool snapshot_is_student;
    float alpha;
    float inverse_temperature;
    float s_shift = 0, c_shift = 0, r_shift = 0;  // subtracted from every logit of the side before anything else
    Side s, c, r, q;
    Moments moments;
    double plain_log_sum_exp = 0;  // of the student's shifted logits at temperature 1

    Token(const AnchorLoss &loss_, int64_t index_)
        : loss(loss_),
          index(index_),
          width(loss_.widest_vocabulary()),
          student(loss_.student, index_),
          snapshot(loss_.has_snapshot() ? loss_.snapshot : loss_.student, index_),
          reference(loss_.has_reference() ? loss_.reference : loss_.student, index_),
          snapshot_is_student(!loss_.has_snapshot()),
          alpha(loss_.alpha(index_)),
          inverse_temperature(1.0f / loss_.options.temperature) {}

    /// log-sum-exp of the logits over the temperature.
    double log_sum_exp(const Side &side, float shift) const {
        return (static_cast<double>(side.maximum) + shift) * inverse_temperature + side.log_mass();
    }

    bool probability_interpolation() const {
        return loss.options.interpolation == HF_INTERPOLATION_PROBABILITY && alpha > 0.0f && alpha < 1.0f;
    }
    bool logit_mixture() const { return loss.options.interpolation == HF_INTERPOLATION_LOGIT && alpha > 0.0f && alpha < 1.0f; }
};

/// z_q = c + alpha (r - c): equal sides give that very logit. A side at -inf takes the mixture there.
template <bool SPECIAL>
inline F mix_logits(F c, F r, F alpha) {
    const F mixed = fma(alpha, r - c, c);
    if (!SPECIAL) {
        return mixed;
    }
    return select((c == -INFINITE) | (r == -INFINITE), broadcast(-INFINITE), mixed);
}

/// weight * difference, where a weight of 0 wins over an infinite difference.
template <bool SPECIAL>
inline F weighted(F weight, F difference) {
    const F product = weight * difference;
    return SPECIAL ? select(weight == F{}, F{}, product) : product;
}

/// (z - maximum) / temperature
inline F centred(F z, float maximum, float inverse_temperature) { return (z - maximum) * inverse_temperature; }

// ---- First walk: masses and moments --------------------------------------------------------------------------------

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

// ---- Later walks: the ratio of student and anchor -------------------------------------------------------------------

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
        const F log_leader =
            select(reference_leads, reference.apply(r, inverse_temperature), snapshot.apply(c, inverse_temperature));
        return {fma(difference, tau, to_leader) - mixture, student.apply(s, inverse_temperature), log_leader + mixture};
    }
};

/// Probabilities of one vector of columns, all to full relative precision.
struct Probabilities {
    F x;      // log(p / q)
    F p;
    F q;
    F delta;  // p - q
    Exponential decay;  // of -|x|
};

inline Probabilities probabilities(const Ratio &ratio) {
    const I student_leads = ratio.x > F{};
    const F base = exp(select(student_leads, ratio.log_p, ratio.log_q));
    const Exponential decay = exponential(-absolute(ratio.x));
    const F other = base * decay.value;
    const F difference = base * decay.minus_one;
    return {ratio.x, select(student_leads, base, other), select(student_leads, other, base),
            select(student_leads, -difference, difference), decay};
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

/// What a column's gradient is made of.
struct GradientScale {
    float kd;  // weight * kd_weight / temperature
    float ce;  // weight * ce_weight * omega
    bool ce_apart;  // the labels' temperature is not the divergence's: cross-entropy is added by its own loop
    float mean_log_ratio;
    float beta;
};

template <int DIVERGENCE, bool SPECIAL>
inline F gradient(const Probabilities &k, const GradientScale &scale) {
    if (DIVERGENCE == HF_FORWARD_KL) {
        return fma(k.delta, broadcast(scale.kd), k.p * scale.ce);
    }
    F log_ratio = k.x;
    float factor = scale.kd;
    if (DIVERGENCE == HF_JSD) {
        log_ratio = midpoint_ratios<SPECIAL>(k, scale.beta).log_p_m;
        factor *= 1.0f - scale.beta;
    }
    return fma(weighted<SPECIAL>(k.p, log_ratio - scale.mean_log_ratio), broadcast(factor), k.p * scale.ce);
}

/// Where gradients go, chunk by chunk.
class GradientRow {
public:
    GradientRow(const AnchorLoss &loss, int64_t token)
        : data_(static_cast<char *>(loss.outputs.student_gradient) +
                (loss.wants_gradient() ? token * loss.outputs.gradient_stride * element_bytes(loss.outputs.gradient_type) : 0)),
          columns_(loss.student.vocabulary_size),
          element_type_(loss.outputs.gradient_type),
          accumulate_(loss.outputs.gradient_mode == HF_GRADIENT_ACCUMULATE) {}

    /// Where to compute the columns from `begin` on: in place, or in the scratch memory that write() takes them from.
    float *chunk(int64_t begin, float *scratch) const {
        return in_place(begin) ? reinterpret_cast<float *>(data_) + begin : scratch;
    }

    void write(int64_t begin, const float *values) const {
        if (in_place(begin) || begin >= columns_) {
            return;
        }
        const int64_t count = columns_ - begin < CHUNK ? columns_ - begin : CHUNK;
        for (int64_t v = 0; v < count; ++v) {
            put(begin + v, values[v]);
        }
    }

private:
    bool in_place(int64_t begin) const { return element_type_ == HF_FLOAT && !accumulate_ && begin + CHUNK <= columns_; }
    void put(int64_t column, float value) const {
        put_element(data_, element_type_, column, accumulate_ ? element_at(data_, element_type_, column) + value : value);
    }

    char *data_;
    int64_t columns_;
    int32_t element_type_;
    bool accumulate_;
};

/// target += scale * softmax(z) at temperature 1
void add_probabilities(const Token &t, const float *z, float scale, float *target) {
    const float mass = static_cast<float>(scale * std::exp(t.s.maximum - t.plain_log_sum_exp));
    for (int64_t v = 0; v < CHUNK; v += LANES) {
        store(target + v, fma(exp((load(z + v) - t.s_shift) - t.s.maximum), broadcast(mass), load(target + v)));
    }
}

/// The label's own column: e_y is subtracted before rounding, and without a divergence p - 1 is taken as expm1(log p).
struct LabelColumn {
    int64_t column;
    double correction;  // what must be added to the value computed for it
    bool replaces;      // the correction is the value itself
};

inline void correct(const LabelColumn &label, int64_t begin, float *values) {
    const int64_t v = label.column - begin;
    if (v >= 0 && v < CHUNK) {
        values[v] = static_cast<float>((label.replaces ? 0.0 : static_cast<double>(values[v])) + label.correction);
    }
}

template <class Anchor, int DIVERGENCE, bool SPECIAL>
void gradient_chunk(const Token &t, const Anchor &anchor, const GradientScale &scale, const float *zs, const float *zc, const float *zr,
                    float *target, SecondSums &sums) {
    const Normaliser snapshot(t.c);
    constexpr bool SNAPSHOT_ANCHOR = DIVERGENCE == HF_FORWARD_KL && __is_same(Anchor, ProbabilityAnchor);
    for (int64_t block = 0; block < CHUNK; block += LANES * BLOCK) {
        for (int64_t v = block; v < block + LANES * BLOCK; v += LANES) {
            const F c = load(zc + v) - t.c_shift;
            const Ratio ratio = anchor.template ratio<SPECIAL>(load(zs + v) - t.s_shift, c, load(zr + v) - t.r_shift);
            const Probabilities k = probabilities(ratio);
            if (DIVERGENCE == HF_FORWARD_KL) {
                add_statistics<Anchor, SPECIAL, SNAPSHOT_ANCHOR>(t, k, ratio, snapshot, c, sums);
            }
            store(target + v, gradient<DIVERGENCE, SPECIAL>(k, scale));
        }
        sums.flush();
    }
}

/// Writes the gradient; for forward KL it also gives the value, which needs no walk of its own then.
template <class Anchor, int DIVERGENCE>
Loss gradient_walk(const Token &t, const GradientScale &scale, const LabelColumn &label) {
    const Anchor anchor(t);
    const GradientRow row(t.loss, t.index);
    Scratch scratch, student;
    SecondSums sums;
    GradientScale divergence_scale = scale;
    divergence_scale.ce = scale.ce_apart ? 0.0f : scale.ce;
    walk(t, [&](int64_t begin, const float *zs, const float *zc, const float *zr) {
        float *target = row.chunk(begin, scratch.values);
        if (scale.ce_apart) {
            std::memcpy(student.values, zs, sizeof student.values);  // the target may be the student's own row
        }
        if (chunk_is_special(zs, zc, zr)) {
            gradient_chunk<Anchor, DIVERGENCE, true>(t, anchor, divergence_scale, zs, zc, zr, target, sums);
        } else {
            gradient_chunk<Anchor, DIVERGENCE, false>(t, anchor, divergence_scale, zs, zc, zr, target, sums);
        }
        if (scale.ce_apart) {
            add_probabilities(t, student.values, scale.ce, target);
        }
        correct(label, begin, target);
        row.write(begin, target);
    });
    return finish(t, sums);
}

/// The gradient of cross-entropy alone: only the student's row is read.
void cross_entropy_walk(const Token &t, float scale, const LabelColumn &label) {
    const GradientRow row(t.loss, t.index);
    const float mass = static_cast<float>(scale * std::exp(t.s.maximum - t.plain_log_sum_exp));
    Scratch s_scratch, scratch;
    for (int64_t begin = 0; begin < t.loss.student.vocabulary_size; begin += CHUNK) {
        const float *zs = t.student.chunk(begin, s_scratch.values);
        float *target = row.chunk(begin, scratch.values);
        for (int64_t v = 0; v < CHUNK; v += LANES) {
            store(target + v, exp((load(zs + v) - t.s_shift) - t.s.maximum) * mass);
        }
        correct(label, begin, target);
        row.write(begin, target);
    }
}

// ---- Results ----------------------------------------------------------------------------------------------------------

/// log-sum-exp of the shifted logits at temperature 1.
double find_plain_log_sum_exp(const Token &t) {
    if (t.loss.options.temperature == 1.0f) {
        return t.log_sum_exp(t.s, 0.0f);
    }
    Scratch scratch;
    Sum sum;
    for (int64_t begin = 0; begin < t.loss.student.vocabulary_size; begin += CHUNK) {
        const float *zs = t.student.chunk(begin, scratch.values);
        for (int64_t v = 0; v < CHUNK; v += LANES) {
            sum.add(exp((load(zs + v) - t.s_shift) - t.s.maximum));
            sum.flush();
        }
    }
    return t.s.maximum + std::log(sum.value());
}

/// KL(a || b) = E_a[a - b] / temperature - (log-sum-exp of a - log-sum-exp of b)
double kl(const Token &t, double moment, const Side &a, const Side &b) {
    const double maxima = (static_cast<double>(a.maximum) - b.maximum) * t.inverse_temperature;
    return not_negative(moment / a.mass * t.inverse_temperature - maxima - (a.log_mass() - b.log_mass()));
}

struct CrossEntropy {
    double loss;
    double omega;
};

CrossEntropy cross_entropy(const Token &t, double log_probability) {
    const double omega = t.loss.options.label_weighting == HF_LABEL_WEIGHTING_DFT ? std::exp(log_probability) : 1.0;
    return {omega == 0 ? 0.0 : -omega * log_probability, omega};
}

template <class Anchor>
Loss distil(const Token &t, GradientScale scale, const LabelColumn &label) {
    const bool gradient = t.loss.wants_gradient();
    switch (t.loss.options.divergence) {
        case HF_REVERSE_KL: {
            const Loss loss = value_walk<Anchor, HF_REVERSE_KL>(t);
            scale.mean_log_ratio = static_cast<float>(loss.mean_log_ratio);
            if (gradient && __builtin_isinf(loss.divergence)) {
                cross_entropy_walk(t, scale.ce, label);
            } else if (gradient) {
                gradient_walk<Anchor, HF_REVERSE_KL>(t, scale, label);
            }
            return loss;
        }
        case HF_JSD: {
            const Loss loss = value_walk<Anchor, HF_JSD>(t);
            scale.mean_log_ratio = static_cast<float>(loss.mean_log_ratio);
            if (gradient) {
                gradient_walk<Anchor, HF_JSD>(t, scale, label);
            }
            return loss;
        }
        default:
            return gradient ? gradient_walk<Anchor, HF_FORWARD_KL>(t, scale, label) : value_walk<Anchor, HF_FORWARD_KL>(t);
    }
}

/// KL(c || q), which a logit anchor has for free: z_q - c = alpha (r - c).
double kl_snapshot_anchor(const Token &t, const Loss &loss) {
    if (t.probability_interpolation()) {
        return loss.kl_snapshot_anchor;
    }
    const double moment = t.alpha == 0.0f ? 0.0 : t.alpha * t.moments.snapshot_reference;
    return kl(t, moment, t.c, t.q);
}

void write_statistics(const Token &t, const Loss &loss, float label_logit, double label_log_probability) {
    if (t.loss.outputs.statistics == nullptr) {
        return;
    }
    double column[HF_STATISTICS_COUNT] = {};
    if (t.loss.has_reference()) {
        column[HF_KL_ANCHOR_STUDENT] = loss.kl_anchor_student;
        column[HF_KL_SNAPSHOT_ANCHOR] = kl_snapshot_anchor(t, loss);
        column[HF_KL_SNAPSHOT_REFERENCE] = kl(t, t.moments.snapshot_reference, t.c, t.r);
        column[HF_KL_STUDENT_REFERENCE] = kl(t, t.moments.student_reference, t.s, t.r);
        column[HF_REFERENCE_LOG_SUM_EXP] = t.log_sum_exp(t.r, t.r_shift);
    }
    if (!t.snapshot_is_student) {
        column[HF_KL_SNAPSHOT_STUDENT] = kl(t, t.moments.snapshot_student, t.c, t.s);
    }
    if (!t.snapshot_is_student || t.loss.has_reference()) {
        column[HF_SNAPSHOT_LOG_SUM_EXP] = t.log_sum_exp(t.c, t.c_shift);
    }
    column[HF_STUDENT_ENTROPY] = not_negative(t.s.log_mass() - t.moments.student_entropy / t.s.mass);
    column[HF_STUDENT_LOG_SUM_EXP] = t.log_sum_exp(t.s, t.s_shift);
    column[HF_LABEL_LOG_PROBABILITY] = label_log_probability;
    column[HF_LABEL_IS_ARGMAX] = label_logit == t.s.maximum ? 1 : 0;
    float *row = t.loss.outputs.statistics + t.index * HF_STATISTICS_COUNT;
    for (int64_t i = 0; i < HF_STATISTICS_COUNT; ++i) {
        row[i] = static_cast<float>(column[i]);
    }
}

/// Without a snapshot its sums are the student's; without a mixture of logits the anchor's are those of one side.
void share_sides(Token &t) {
    if (t.snapshot_is_student) {
        t.c = t.s;
        t.c_shift = t.s_shift;
        t.moments.snapshot_reference = t.moments.student_reference;
    }
    if (!t.logit_mixture()) {
        t.q = t.alpha == 1.0f ? t.r : t.c;
    }
}

}  // namespace

void anchor_loss_row(const AnchorLoss &loss, int64_t token) {
    Token t(loss, token);
    const float given_label_logit = t.student.at(loss.tokens.labels[token]);
    if (!first_walk_of(t)) {
        anchor_loss_reference(loss, token);
        return;
    }
    share_sides(t);
    const float label_logit = given_label_logit - t.s_shift;
    // The gradient may overwrite the student's row, so whatever reads logits comes before it.
    t.plain_log_sum_exp = find_plain_log_sum_exp(t);
    const double label_log_probability = label_logit - t.plain_log_sum_exp;

    const hf_anchor_loss_options &options = loss.options;
    const bool distils = loss.has_reference() && (options.kd_weight > 0.0f || loss.outputs.statistics != nullptr);
    const double weight = loss.tokens.weights[token];
    const CrossEntropy ce = options.ce_weight > 0.0f ? cross_entropy(t, label_log_probability) : CrossEntropy{0, 0};
    const double ce_scale = weight * options.ce_weight * ce.omega;
    const bool ce_alone = !loss.has_reference() || options.kd_weight == 0.0f;
    const LabelColumn label = ce_alone ? LabelColumn{loss.tokens.labels[token], ce_scale * std::expm1(label_log_probability), true}
                                       : LabelColumn{loss.tokens.labels[token], -ce_scale, false};

    Loss result;
    if (distils) {
        const GradientScale gradient{static_cast<float>(weight * options.kd_weight / options.temperature), static_cast<float>(ce_scale),
                                     ce_scale != 0 && options.temperature != 1.0f, 0.0f, options.beta};
        result = t.probability_interpolation() ? distil<ProbabilityAnchor>(t, gradient, label) : distil<LogitAnchor>(t, gradient, label);
    } else if (loss.wants_gradient()) {
        cross_entropy_walk(t, static_cast<float>(ce_scale), label);
    }
    write_statistics(t, result, label_logit, label_log_probability);
    if (loss.outputs.token_loss != nullptr) {
        const double divergence = options.kd_weight > 0.0f ? options.kd_weight * result.divergence : 0.0;
        const double hard = options.ce_weight > 0.0f ? options.ce_weight * ce.loss : 0.0;
        loss.outputs.token_loss[token] = static_cast<float>(divergence + hard);
    }
}

}  // namespace holdfast::HF_VARIANT
