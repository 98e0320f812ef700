// The walk that writes the gradient. Compiled once per instruction set.
#pragma once

#include "loss/value_walk.inc.hpp"
#include "simd/narrow.hpp"

namespace holdfast::HF_VARIANT {
namespace {

/// What a column's gradient is made of.
struct GradientScale {
    float kd;  // weight * kd_weight / temperature
    float ce;  // weight * ce_weight * omega / temperature
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
    float *chunk(int64_t begin, float *scratch) const { return in_place(begin) ? reinterpret_cast<float *>(data_) + begin : scratch; }

    void write(int64_t begin, const float *values) const {
        if (in_place(begin) || begin >= columns_) {
            return;
        }
        const int64_t count = columns_ - begin < CHUNK ? columns_ - begin : CHUNK;
        int64_t v = 0;
        if (!accumulate_ && element_type_ == HF_BFLOAT16) {
            narrow(values, reinterpret_cast<uint16_t *>(data_) + begin, count);
            v = count;
        }
#if defined(__AVX2__)
        if (!accumulate_ && element_type_ == HF_FLOAT16) {
            uint16_t *target = reinterpret_cast<uint16_t *>(data_) + begin;
            for (; v + 8 <= count; v += 8) {
                const __m128i halves = _mm256_cvtps_ph(_mm256_loadu_ps(values + v), _MM_FROUND_TO_NEAREST_INT);
                _mm_storeu_si128(reinterpret_cast<__m128i *>(target + v), halves);
            }
        }
#endif
        for (; v < count; ++v) {
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

/// Writes the gradient; for forward KL it also gives the value, which needs no walk of its own then.
template <class Anchor, int DIVERGENCE>
Loss gradient_walk(const Token &t, const GradientScale &scale, const LabelColumn &label) {
    const GradientRow row(t.loss, t.index);
    Scratch scratch;
    SecondSums sums;
    walk<Anchor>(t, [&](int64_t begin, const auto &chunk) {
        float *target = row.chunk(begin, scratch.values);
        for (int64_t block = 0; block < CHUNK; block += LANES * BLOCK) {
            for (int64_t v = block; v < block + LANES * BLOCK; v += LANES) {
                const Probabilities k = chunk.template at<DIVERGENCE>(v, sums);
                store(target + v, gradient<DIVERGENCE, std::remove_reference_t<decltype(chunk)>::SPECIAL>(k, scale));
            }
            sums.flush();
        }
        correct(label, begin, target);
        row.write(begin, target);
    });
    return finish(t, sums);
}

/// The gradient of cross-entropy alone: only the student's row is read.
void cross_entropy_walk(const Token &t, float scale, const LabelColumn &label) {
    const GradientRow row(t.loss, t.index);
    const float mass = static_cast<float>(scale / t.s.mass);
    Scratch s_scratch, scratch;
    for (int64_t begin = 0; begin < t.loss.student.vocabulary_size; begin += CHUNK) {
        const float *zs = t.student.chunk(begin, s_scratch.values);
        float *target = row.chunk(begin, scratch.values);
        for (int64_t v = 0; v < CHUNK; v += LANES) {
            store(target + v, mass_of(load(zs + v) - t.s_shift, broadcast(t.s.maximum), broadcast(t.bits_per_logit)) * mass);
        }
        correct(label, begin, target);
        row.write(begin, target);
    }
}

}  // namespace
}  // namespace holdfast::HF_VARIANT
