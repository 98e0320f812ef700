// Conversion of single elements between float and the three types of logits.
//
// Everything is static: this header is compiled for several instruction sets.
#pragma once

#include <cstdint>
#include <cstring>

#include "holdfast/holdfast.h"

namespace holdfast {

static inline float float_of_bits(uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t bits_of_float(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float bfloat_to_float(uint16_t bits) { return float_of_bits(static_cast<uint32_t>(bits) << 16); }

/// Nearest, ties to even; NaN stays NaN.
static inline uint16_t float_to_bfloat(float value) {
    const uint32_t bits = bits_of_float(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) {
        return static_cast<uint16_t>(bits >> 16 | 0x40u);
    }
    return static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static inline float half_to_float(uint16_t bits) {
    const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
    const uint32_t exponent = bits >> 10 & 0x1fu;
    const uint32_t mantissa = bits & 0x3ffu;
    if (exponent == 0x1fu) {
        return float_of_bits(sign | 0x7f800000u | mantissa << 13);
    }
    if (exponent == 0) {
        return float_of_bits(sign | bits_of_float(static_cast<float>(mantissa) * 0x1p-24f));
    }
    return float_of_bits(sign | (exponent + 112) << 23 | mantissa << 13);
}

/// Nearest, ties to even; values beyond 65,504 become infinite, NaN stays NaN.
static inline uint16_t float_to_half(float value) {
    const uint32_t bits = bits_of_float(value);
    const uint32_t sign = bits >> 16 & 0x8000u;
    const uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) {
        return static_cast<uint16_t>(sign | 0x7e00u);
    }
    if (magnitude >= 0x477ff000u) {
        return static_cast<uint16_t>(sign | 0x7c00u);
    }
    if (magnitude < 0x38800000u) {
        // Adding 0.5 aligns the subnormal's last place with the last place of the sum, so the addition rounds.
        const uint32_t rounded = bits_of_float(float_of_bits(magnitude) + 0.5f);
        return static_cast<uint16_t>(sign | (rounded - 0x3f000000u));
    }
    const uint32_t rounded = magnitude + 0xfffu + (magnitude >> 13 & 1u);
    return static_cast<uint16_t>(sign | (rounded - 0x38000000u) >> 13);
}

static inline float element_at(const void *data, int32_t element_type, int64_t index) {
    if (element_type == HF_FLOAT) {
        return static_cast<const float *>(data)[index];
    }
    const uint16_t bits = static_cast<const uint16_t *>(data)[index];
    return element_type == HF_FLOAT16 ? half_to_float(bits) : bfloat_to_float(bits);
}

static inline void put_element(void *data, int32_t element_type, int64_t index, float value) {
    if (element_type == HF_FLOAT) {
        static_cast<float *>(data)[index] = value;
    } else {
        static_cast<uint16_t *>(data)[index] = element_type == HF_FLOAT16 ? float_to_half(value) : float_to_bfloat(value);
    }
}

}  // namespace holdfast
