// Rows of logits as chunks, and what the walks over one token's rows share. Compiled once per instruction set.
#pragma once

#include <cmath>

#include "loss/anchor_loss.hpp"
#include "simd/element.hpp"
#include "simd/vector.inc.hpp"

namespace holdfast::HF_VARIANT {
namespace {

constexpr int64_t CHUNK = LOSS_CHUNK;
static_assert(CHUNK % (LANES * BLOCK) == 0, "a chunk is a whole number of blocks");

constexpr float INFINITE = __builtin_huge_valf();
constexpr double LN_2 = 0.693147180559945309;
constexpr float LN_2F = static_cast<float>(LN_2);

/// Asks for the memory of the first walk in good time: three rows at once, in pages that are not neighbours, are too much for the
/// processor's own foresight. Beyond the end of the rows it asks in vain.
template <int TYPE>
inline void fetch_ahead(const void *row, int64_t v) {
    constexpr int64_t DISTANCE = 2048;  // bytes
    __builtin_prefetch(static_cast<const char *>(row) + v * element_bytes(TYPE) + DISTANCE);
}

/// A vector of logits of one element type.
template <int TYPE>
inline F load_logits(const void *row, int64_t v) {
    if (TYPE == HF_FLOAT) {
        return load(static_cast<const float *>(row) + v);
    }
    const uint16_t *source = static_cast<const uint16_t *>(row) + v;
    return TYPE == HF_BFLOAT16 ? load_bfloats(source) : load_halves(source);
}

/// A logit so low that it has no mass, yet finite, so that the columns behind the last do not make their chunk special.
constexpr float FINITE_PADDING = -1e30f;

/// A row of one side as float chunks. Columns beyond its vocabulary are -inf.
class Row {
public:
    Row(const hf_logits &logits, int64_t token, int64_t width)
        : data_(static_cast<const char *>(logits.data) + token * logits.row_stride * element_bytes(logits.element_type)),
          vocabulary_size_(logits.vocabulary_size),
          width_(width),
          element_type_(logits.element_type) {}

    /// Points to the columns [begin, begin + CHUNK), in place where that is possible. What lies beyond the widest side is `padding`.
    const float *chunk(int64_t begin, float *scratch, float padding = -INFINITE) const {
        if (element_type_ == HF_FLOAT && begin + CHUNK <= vocabulary_size_) {
            return reinterpret_cast<const float *>(data_) + begin;
        }
        const int64_t present = begin >= vocabulary_size_ ? 0 : smaller(vocabulary_size_ - begin, CHUNK);
        convert(begin, present, scratch);
        for (int64_t v = present; v < CHUNK; ++v) {
            scratch[v] = begin + v < width_ ? -INFINITE : padding;
        }
        return scratch;
    }

    /// The row's own memory from column `begin` on.
    const void *raw(int64_t begin) const { return data_ + begin * element_bytes(element_type_); }
    /// Whether the row has that type, and has all columns of the chunk.
    bool is(int32_t element_type, int64_t begin) const { return element_type_ == element_type && begin + CHUNK <= vocabulary_size_; }

    float at(int64_t column) const { return column < vocabulary_size_ ? element_at(data_, element_type_, column) : -INFINITE; }

private:
    static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

    void convert(int64_t begin, int64_t count, float *scratch) const {
        if (element_type_ == HF_FLOAT) {
            std::memcpy(scratch, reinterpret_cast<const float *>(data_) + begin, static_cast<size_t>(count) * sizeof(float));
            return;
        }
        const uint16_t *source = reinterpret_cast<const uint16_t *>(data_) + begin;
        const bool halves = element_type_ == HF_FLOAT16;
        int64_t v = 0;
        for (; v + LANES <= count; v += LANES) {
            store(scratch + v, halves ? load_halves(source + v) : load_bfloats(source + v));
        }
        for (; v < count; ++v) {
            scratch[v] = halves ? half_to_float(source[v]) : bfloat_to_float(source[v]);
        }
    }

    const char *data_;
    int64_t vocabulary_size_;
    int64_t width_;  // of the widest side
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

/// What the first walk leaves for the later ones, so that they need no exponential: masses of the columns, each relative to the maximum
/// that its side had at that chunk.
struct Stored {
    float *student;
    float *anchor;           // of the logit anchor; with a mixture of probabilities the snapshot's
    float *third;            // how far the student's logit lies above the anchor's; with a mixture of probabilities the reference's mass
    float *student_maximum;  // one per chunk
    float *anchor_maximum;
    float *reference_maximum;
    bool complete = false;  // a chunk with logits that are not finite leaves nothing

    Stored(void *scratch, int64_t width)
        : student(static_cast<float *>(scratch)),
          anchor(student + loss_chunks(width) * CHUNK),
          third(anchor + loss_chunks(width) * CHUNK),
          student_maximum(third + loss_chunks(width) * CHUNK),
          anchor_maximum(student_maximum + loss_chunks(width)),
          reference_maximum(anchor_maximum + loss_chunks(width)) {}
};

/// What the anchor of a token is.
enum class AnchorKind {
    NONE,
    LOGITS,         // a mixture of logits
    PROBABILITIES,  // a mixture of probabilities
    SNAPSHOT,
    REFERENCE
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
    float bits_per_logit;        // log2(e) / temperature: logits become powers of two by one product
    double inverse_temperature;  // that of bits_per_logit, so that sums and ratios have the same temperature to the last bit
    float s_shift = 0, c_shift = 0, r_shift = 0;  // subtracted from every logit of the side before anything else
    Side s, c, r, q;
    float s_highest_logit = -INFINITE;  // shifted
    int64_t s_highest = 0;              // first column of the chunk in which it comes first
    Moments moments;
    Stored stored;

    Token(const AnchorLoss &loss_, int64_t index_, void *scratch)
        : loss(loss_),
          index(index_),
          width(loss_.widest_vocabulary()),
          student(loss_.student, index_, width),
          snapshot(loss_.has_snapshot() ? loss_.snapshot : loss_.student, index_, width),
          reference(loss_.has_reference() ? loss_.reference : loss_.student, index_, width),
          snapshot_is_student(!loss_.has_snapshot()),
          alpha(loss_.alpha(index_)),
          bits_per_logit(static_cast<float>(1 / (LN_2 * loss_.options.temperature))),
          inverse_temperature(LN_2 * bits_per_logit),
          stored(scratch, width) {}

    /// log-sum-exp of the logits over the temperature.
    double log_sum_exp(const Side &side, float shift) const {
        return (static_cast<double>(side.maximum) + shift) * inverse_temperature + side.log_mass();
    }

    void note_highest(float logit, int64_t begin) {
        if (logit > s_highest_logit) {
            s_highest_logit = logit;
            s_highest = begin;
        }
    }

    bool shifted() const { return s_shift != 0.0f || c_shift != 0.0f || r_shift != 0.0f; }

    AnchorKind anchor_kind() const {
        if (!loss.has_reference()) {
            return AnchorKind::NONE;
        }
        if (alpha == 0.0f) {
            return AnchorKind::SNAPSHOT;
        }
        if (alpha == 1.0f) {
            return AnchorKind::REFERENCE;
        }
        return loss.options.interpolation == HF_INTERPOLATION_LOGIT ? AnchorKind::LOGITS : AnchorKind::PROBABILITIES;
    }
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

/// e^((z - maximum) / temperature)
inline F mass_of(F z, F maximum, F bits_per_logit) { return exp2_of(z - maximum, bits_per_logit); }

}  // namespace
}  // namespace holdfast::HF_VARIANT
