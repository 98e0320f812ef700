// Units of 16 bytes of a row ("groups") as floats, and single elements.
#pragma once

#include <cstdint>

#include "cuda/device.hpp"
#include "cuda/loss_arguments.hpp"

#ifdef HOLDFAST_EMULATED
#define HF_UNROLL
#define HF_KEEP_LOOP
#else
#define HF_UNROLL _Pragma("unroll")
#define HF_KEEP_LOOP _Pragma("unroll 1")
#endif

namespace holdfast::cuda {

using device::Bytes16;
using device::Float2;

/// Infinity without the host's functions, which device code may not call.
constexpr float INFINITE = __builtin_huge_valf();

/// The largest and the smallest logit of a group; both NaN if one is.
struct Extremes {
    float largest;
    float smallest;
};

HF_DEVICE float load_element(const char *row, int32_t type, int64_t column) {
    if (type == HF_FLOAT) {
        return device::load_cached(reinterpret_cast<const float *>(row) + column);
    }
    const uint32_t bits = device::load_cached(reinterpret_cast<const uint16_t *>(row) + column);
    return type == HF_FLOAT16 ? device::widen_float16(bits).x : device::widen_bfloat16(bits).x;
}

HF_DEVICE void store_element(char *row, int32_t type, int64_t column, float value) {
    if (type == HF_FLOAT) {
        device::store_cached(reinterpret_cast<float *>(row) + column, value);
        return;
    }
    const uint32_t bits = type == HF_FLOAT16 ? device::narrow_float16({value, 0.0f}) : device::narrow_bfloat16({value, 0.0f});
    device::store_cached(reinterpret_cast<uint16_t *>(row) + column, static_cast<uint16_t>(bits));
}

/// One row of one side.
struct Row {
    const char *data = nullptr;  // of column 0
    int64_t columns = 0;
    int32_t type = 0;

    HF_DEVICE bool has(int64_t column) const { return column >= 0 && column < columns; }
};

/// Rows of floats that lie alike: a group is 16 bytes at a multiple of 16.
struct Float {
    static constexpr int COLUMNS = 4;
    static constexpr int BYTES = 4;
    static constexpr bool IS_ALIGNED = true;
    static constexpr bool HAS_GAINS = true;  // first_walk.hpp says of what

    HF_DEVICE static float load(const Row &row, int64_t column) {
        return device::load_cached(reinterpret_cast<const float *>(row.data) + column);
    }

    HF_DEVICE static void widen(const Bytes16 &raw, float (&z)[COLUMNS]) {
        HF_UNROLL for (int i = 0; i < COLUMNS; ++i) { z[i] = device::bits_as<float>(raw.words[i]); }
    }

    HF_DEVICE static Bytes16 narrow(const float (&z)[COLUMNS]) {
        Bytes16 raw;
        HF_UNROLL for (int i = 0; i < COLUMNS; ++i) { raw.words[i] = device::bits_as<uint32_t>(z[i]); }
        return raw;
    }

    HF_DEVICE static Extremes extremes(const Bytes16 &raw) {
        float z[COLUMNS];
        widen(raw, z);
        return {device::max_or_nan(device::max_or_nan(z[0], z[1]), device::max_or_nan(z[2], z[3])),
                device::min_or_nan(device::min_or_nan(z[0], z[1]), device::min_or_nan(z[2], z[3]))};
    }
};

/// As Float for the two types of 16 bits, which `Type` tells how to widen, narrow and compare by pairs.
template <class Type>
struct Half {
    static constexpr int COLUMNS = 8;
    static constexpr int BYTES = 2;
    static constexpr bool IS_ALIGNED = true;
    static constexpr bool HAS_GAINS = false;

    HF_DEVICE static float load(const Row &row, int64_t column) {
        return Type::widen(device::load_cached(reinterpret_cast<const uint16_t *>(row.data) + column)).x;
    }

    HF_DEVICE static void widen(const Bytes16 &raw, float (&z)[COLUMNS]) {
        HF_UNROLL for (int i = 0; i < COLUMNS / 2; ++i) {
            const Float2 pair = Type::widen(raw.words[i]);
            z[2 * i] = pair.x;
            z[2 * i + 1] = pair.y;
        }
    }

    HF_DEVICE static Bytes16 narrow(const float (&z)[COLUMNS]) {
        Bytes16 raw;
        HF_UNROLL for (int i = 0; i < COLUMNS / 2; ++i) { raw.words[i] = Type::narrow({z[2 * i], z[2 * i + 1]}); }
        return raw;
    }

    HF_DEVICE static Extremes extremes(const Bytes16 &raw) {
        const uint32_t *pairs = raw.words;
        const Float2 largest = Type::widen(Type::max(Type::max(pairs[0], pairs[1]), Type::max(pairs[2], pairs[3])));
        const Float2 smallest = Type::widen(Type::min(Type::min(pairs[0], pairs[1]), Type::min(pairs[2], pairs[3])));
        return {device::max_or_nan(largest.x, largest.y), device::min_or_nan(smallest.x, smallest.y)};
    }
};

struct Float16Pairs {
    HF_DEVICE static Float2 widen(uint32_t pair) { return device::widen_float16(pair); }
    HF_DEVICE static uint32_t narrow(Float2 values) { return device::narrow_float16(values); }
    HF_DEVICE static uint32_t max(uint32_t a, uint32_t b) { return device::max_or_nan_float16(a, b); }
    HF_DEVICE static uint32_t min(uint32_t a, uint32_t b) { return device::min_or_nan_float16(a, b); }
};

struct Bfloat16Pairs {
    HF_DEVICE static Float2 widen(uint32_t pair) { return device::widen_bfloat16(pair); }
    HF_DEVICE static uint32_t narrow(Float2 values) { return device::narrow_bfloat16(values); }
    HF_DEVICE static uint32_t max(uint32_t a, uint32_t b) { return device::max_or_nan_bfloat16(a, b); }
    HF_DEVICE static uint32_t min(uint32_t a, uint32_t b) { return device::min_or_nan_bfloat16(a, b); }
};

using Float16 = Half<Float16Pairs>;
using Bfloat16 = Half<Bfloat16Pairs>;

/// Rows of any types, alike or not: a group is four columns, loaded one by one and kept as floats.
struct AnyType : Float {
    static constexpr bool IS_ALIGNED = false;

    HF_DEVICE static float load(const Row &row, int64_t column) { return load_element(row.data, row.type, column); }
};

/// values[begin + i] and values[begin + i] = value, for begin a multiple of STEP and i in [0, STEP): without an address, so that the values
/// may stay in registers.
template <int STEP, int COUNT>
HF_DEVICE float pick(const float (&values)[COUNT], int begin, int i) {
    float picked = values[i];
    HF_UNROLL for (int at = STEP; at < COUNT; at += STEP) { picked = at == begin ? values[at + i] : picked; }
    return picked;
}

template <int STEP, int COUNT>
HF_DEVICE void put(float (&values)[COUNT], int begin, int i, float value) {
    HF_UNROLL for (int at = 0; at < COUNT; at += STEP) { values[at + i] = at == begin ? value : values[at + i]; }
}

template <int COUNT>
HF_DEVICE float pick(const float (&values)[COUNT], int i) {
    return pick<1>(values, i, 0);
}

template <int COUNT>
HF_DEVICE void put(float (&values)[COUNT], int i, float value) {
    put<1>(values, i, 0, value);
}

/// The group from `first_column` on, column by column; columns that the row lacks are -inf.
template <class Element>
HF_DEVICE Bytes16 gather(const Row &row, int64_t first_column) {
    float z[Element::COLUMNS] = {};
    HF_KEEP_LOOP for (int i = 0; i < Element::COLUMNS; ++i) {
        put(z, i, row.has(first_column + i) ? Element::load(row, first_column + i) : -INFINITE);
    }
    return Element::narrow(z);
}

}  // namespace holdfast::cuda
