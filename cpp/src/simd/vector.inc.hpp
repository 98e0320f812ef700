// Vectors of floats and the elementary functions on them, for one instruction set.
//
// Included by files that are compiled once per instruction set, inside namespace holdfast::HF_VARIANT, so that the variants never
// share a symbol. Such files must not instantiate templates of the standard library: the linker would keep one variant's code for all.
#pragma once

#include <cstdint>
#include <cstring>

#include "simd/element.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#ifndef HF_VARIANT
#error "HF_VARIANT: expected the name of this instruction set, got nothing"
#endif

namespace holdfast::HF_VARIANT {

#if defined(__AVX512F__)
constexpr int LANES = 16;
constexpr __mmask16 ALL_LANES = 0xffff;  // intrinsics without a mask trip GCC 12's warning of uninitialised values (bug 105593)
#elif defined(__AVX2__)
constexpr int LANES = 8;
#else
constexpr int LANES = 4;
#endif

typedef float F __attribute__((vector_size(4 * LANES)));
typedef int32_t I __attribute__((vector_size(4 * LANES)));
typedef double D __attribute__((vector_size(8 * LANES)));
typedef F UnalignedF __attribute__((aligned(4), may_alias));

static inline F load(const float *source) { return *reinterpret_cast<const UnalignedF *>(source); }
static inline void store(float *target, F value) { *reinterpret_cast<UnalignedF *>(target) = value; }
/// Floats from bfloat16 and from float16.
static inline F load_bfloats(const uint16_t *source) {
    typedef uint16_t Bits __attribute__((vector_size(2 * LANES), aligned(2), may_alias));
    return (F)(__builtin_convertvector(*reinterpret_cast<const Bits *>(source), I) << 16);
}

static inline F load_halves(const uint16_t *source) {
#if defined(__AVX512F__)
    return (F)_mm512_maskz_cvtph_ps(ALL_LANES, _mm256_loadu_si256(reinterpret_cast<const __m256i *>(source)));
#elif defined(__AVX2__)
    return (F)_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i *>(source)));
#else
    F value;
    for (int lane = 0; lane < LANES; ++lane) {
        value[lane] = half_to_float(source[lane]);
    }
    return value;
#endif
}

static inline F broadcast(float value) { return value - F{}; }
static inline I bits(F value) { return (I)value; }
static inline F from_bits(I value) { return (F)value; }

/// a * b + c in one rounding where the machine has it.
static inline F fma(F a, F b, F c) {
#if defined(__AVX512F__)
    return (F)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__AVX2__)
    return (F)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
    return a * b + c;
#endif
}

/// The larger; `b` if either is NaN.
static inline F max(F a, F b) { return a > b ? a : b; }
static inline F min(F a, F b) { return a < b ? a : b; }
static inline F absolute(F a) { return from_bits(bits(a) & 0x7fffffff); }
static inline F select(I mask, F yes, F no) { return mask ? yes : no; }

static inline bool any(I mask) {
    int32_t found = 0;
    for (int lane = 0; lane < LANES; ++lane) {
        found |= mask[lane];
    }
    return found != 0;
}

typedef float Four __attribute__((vector_size(16)));
typedef float Eight __attribute__((vector_size(32)));

template <class Combine>
static inline float fold(Four value, Combine combine) {
    return combine(combine(value[0], value[2]), combine(value[1], value[3]));
}

#if defined(__AVX2__)
/// Folds the lanes half upon half, which takes a few steps instead of one per lane.
template <class Combine>
static inline float fold(Eight value, Combine combine) {
    Four halves[2];
    std::memcpy(halves, &value, sizeof value);
    return fold(combine(halves[0], halves[1]), combine);
}
#endif

#if defined(__AVX512F__)
template <class Combine>
static inline float fold(F value, Combine combine) {
    Eight halves[2];
    std::memcpy(halves, &value, sizeof value);
    return fold(combine(halves[0], halves[1]), combine);
}
#endif

static inline float largest(F value) {
    return fold(value, [](auto a, auto b) { return a > b ? a : b; });
}

static inline float sum_of(F value) {
    return fold(value, [](auto a, auto b) { return a + b; });
}

/// Sums floats in blocks and the blocks in double, so that the error does not grow with the length of a row.
struct Sum {
    F block = F{};
    D total = D{};

    inline void add(F value) { block += value; }
    inline void flush() {
        total += __builtin_convertvector(block, D);
        block = F{};
    }
    inline double value() const {
        double result = 0;
        for (int lane = 0; lane < LANES; ++lane) {
            result += total[lane];
        }
        return result;
    }
};

/// Vectors between two flushes of a Sum.
constexpr int BLOCK = 16;

/// e^r - 1 for |r| <= ln(2) / 2; the Taylor polynomial of degree 8 is exact to less than half a unit in the last place.
static inline F expm1_reduced(F r) {
    F p = broadcast(1.0f / 40320);
    p = fma(p, r, broadcast(1.0f / 5040));
    p = fma(p, r, broadcast(1.0f / 720));
    p = fma(p, r, broadcast(1.0f / 120));
    p = fma(p, r, broadcast(1.0f / 24));
    p = fma(p, r, broadcast(1.0f / 6));
    p = fma(p, r, broadcast(0.5f));
    return fma(r * r, p, r);
}

/// x = n ln 2 + r; `scale` becomes 2^n. x must lie in [-87, 88].
static inline F reduce(F x, F &scale) {
    const F magic = broadcast(12582912.0f);  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
    const F shifted = fma(x, broadcast(1.44269504f), magic);
    const F n = shifted - magic;
    scale = from_bits((bits(shifted) + (127 - 0x4b400000)) << 23);
    return fma(n, broadcast(-1.42860677e-6f), fma(n, broadcast(-0.693145751953125f), x));
}

constexpr float LOWEST_EXPONENT = -87.0f;

/// e^x for x <= 88; 0 below e^-87, NaN stays NaN.
static inline F exp(F x) {
    F scale;
    const F r = reduce(max(broadcast(LOWEST_EXPONENT), x), scale);
    const F result = fma(expm1_reduced(r), scale, scale);
    return select(x < LOWEST_EXPONENT, F{}, result);
}

/// a b - c, nearly equal, in one rounding on every machine.
static inline F exact_difference(F a, F b, F c) {
#if defined(__AVX2__)
    return fma(a, b, -c);
#else
    return __builtin_convertvector(__builtin_convertvector(a, D) * __builtin_convertvector(b, D) - __builtin_convertvector(c, D), F);
#endif
}

/// 2^(x scale), at half the work of exp, for one fused step reduces the product without rounding it. 0 below 2^-126; NaN stays NaN. Not
/// for products above 127.
static inline F exp2_of(F x, F scale) {
    const F product = x * scale;
#if defined(__AVX512F__)
    const F n = (F)_mm512_maskz_roundscale_ps(ALL_LANES, (__m512)product, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#else
    const F magic = broadcast(12582912.0f);
    const F shifted = min(broadcast(128.0f), max(broadcast(-126.0f), product)) + magic;
    const F n = shifted - magic;
#endif
    const F f = exact_difference(x, scale, n);
    // (2^f - 1) / f for |f| <= 1/2, the polynomial of degree 5 whose largest relative error in 2^f is smallest: 2e-8.
    F p = broadcast(0.00015353362f);
    p = fma(p, f, broadcast(0.00133988739f));
    p = fma(p, f, broadcast(0.00961843692f));
    p = fma(p, f, broadcast(0.0555033237f));
    p = fma(p, f, broadcast(0.240226477f));
    p = fma(p, f, broadcast(0.693147182f));
    p = fma(p, f, broadcast(1.0f));
#if defined(__AVX512F__)
    const __mmask16 not_below = _mm512_cmp_ps_mask((__m512)product, (__m512)broadcast(-126.0f), _CMP_NLT_UQ);
    return (F)_mm512_maskz_scalef_ps(not_below, (__m512)p, (__m512)n);
#else
    return select(product < -126.0f, F{}, p * from_bits((bits(shifted) + (127 - 0x4b400000)) << 23));
#endif
}

/// e^x and e^x - 1, both with full relative precision.
struct Exponential {
    F value;
    F minus_one;
};

/// For x <= 0; NaN stays NaN.
static inline Exponential exponential(F x) {
    F scale;
    const F r = reduce(max(broadcast(LOWEST_EXPONENT), x), scale);
    const F reduced = expm1_reduced(r);
    return {select(x < LOWEST_EXPONENT, F{}, fma(reduced, scale, scale)), fma(reduced, scale, scale - 1.0f)};
}

/// Natural logarithm of a positive normal number.
static inline F log(F x) {
    I exponent = (bits(x) >> 23) - 126;
    F m = from_bits((bits(x) & 0x007fffff) | 0x3f000000);  // [0.5, 1)
    const I small = m < 0.707106781f;
    exponent += small;  // true is -1
    m = select(small, m + m, m) - 1.0f;
    const F e = __builtin_convertvector(exponent, F);
    // Coefficients: Moshier, Cephes Mathematical Library, logf.
    F p = broadcast(7.0376836292e-2f);
    p = fma(p, m, broadcast(-1.1514610310e-1f));
    p = fma(p, m, broadcast(1.1676998740e-1f));
    p = fma(p, m, broadcast(-1.2420140846e-1f));
    p = fma(p, m, broadcast(1.4249322787e-1f));
    p = fma(p, m, broadcast(-1.6668057665e-1f));
    p = fma(p, m, broadcast(2.0000714765e-1f));
    p = fma(p, m, broadcast(-2.4999993993e-1f));
    p = fma(p, m, broadcast(3.3333331174e-1f));
    const F square = m * m;
    F y = p * m * square;
    y = fma(e, broadcast(-2.12194440e-4f), y);
    y = fma(square, broadcast(-0.5f), y);
    return fma(e, broadcast(0.693359375f), m + y);
}

/// log(large + small e^d) where large + small = 1 and d <= 0: the logarithm of a mixture relative to its larger part.
static inline F log_mixture(F large, F small, Exponential d) {
    const F y = small * d.minus_one;
    const F u = select(y > -0.5f, 1.0f + y, fma(small, d.value, large));
    // What 1 + y rounded away comes back by the derivative 1 / u, for which 2 - u will do.
    return log(u) + select(y > -0.5f, (y - (u - 1.0f)) * (2.0f - u), F{});
}

}  // namespace holdfast::HF_VARIANT
