// Products of small matrices that stay in the caches; see vector.inc.hpp for how this file is included.
#pragma once

#include "simd/vector.inc.hpp"

namespace holdfast::HF_VARIANT {

/// A matrix by its strides, so that a transposed one needs no copy.
struct Matrix {
    const float *data;
    int64_t row_stride;
    int64_t column_stride;
};

/// ROWS x (VECTORS * LANES) block of c = a b, or c += a b, kept in registers over the whole inner dimension.
template <int ROWS, int VECTORS>
static inline void gemm_block(int64_t inner, const Matrix &a, const float *b, int64_t b_stride, float *c, int64_t c_stride, bool accumulate) {
    F sums[ROWS][VECTORS] = {};
    const float *column = a.data;
    for (int64_t k = 0; k < inner; ++k) {
        F right[VECTORS];
        for (int j = 0; j < VECTORS; ++j) {
            right[j] = load(b + j * LANES);
        }
        for (int i = 0; i < ROWS; ++i) {
            const F left = broadcast(column[i * a.row_stride]);
            for (int j = 0; j < VECTORS; ++j) {
                sums[i][j] = fma(left, right[j], sums[i][j]);
            }
        }
        column += a.column_stride;
        b += b_stride;
    }
    for (int i = 0; i < ROWS; ++i) {
        for (int j = 0; j < VECTORS; ++j) {
            float *target = c + i * c_stride + j * LANES;
            store(target, accumulate ? load(target) + sums[i][j] : sums[i][j]);
        }
    }
}

template <int VECTORS>
static inline void gemm_columns(int64_t rows, int64_t inner, Matrix a, const float *b, int64_t b_stride, float *c, int64_t c_stride,
                                bool accumulate) {
    int64_t i = 0;
    for (; i + 6 <= rows; i += 6) {
        gemm_block<6, VECTORS>(inner, a, b, b_stride, c, c_stride, accumulate);
        a.data += 6 * a.row_stride;
        c += 6 * c_stride;
    }
    switch (rows - i) {
        case 5:
            return gemm_block<5, VECTORS>(inner, a, b, b_stride, c, c_stride, accumulate);
        case 4:
            return gemm_block<4, VECTORS>(inner, a, b, b_stride, c, c_stride, accumulate);
        case 3:
            return gemm_block<3, VECTORS>(inner, a, b, b_stride, c, c_stride, accumulate);
        case 2:
            return gemm_block<2, VECTORS>(inner, a, b, b_stride, c, c_stride, accumulate);
        case 1:
            return gemm_block<1, VECTORS>(inner, a, b, b_stride, c, c_stride, accumulate);
        default:
            return;
    }
}

/// c [rows, columns] = a [rows, inner] b [inner, columns], or += if accumulate.
static void gemm(int64_t rows, int64_t columns, int64_t inner, const Matrix &a, const float *b, int64_t b_stride, float *c, int64_t c_stride,
                 bool accumulate) {
    int64_t j = 0;
    for (; j + 2 * LANES <= columns; j += 2 * LANES) {
        gemm_columns<2>(rows, inner, a, b + j, b_stride, c + j, c_stride, accumulate);
    }
    for (; j + LANES <= columns; j += LANES) {
        gemm_columns<1>(rows, inner, a, b + j, b_stride, c + j, c_stride, accumulate);
    }
    for (; j < columns; ++j) {
        for (int64_t i = 0; i < rows; ++i) {
            float sum = accumulate ? c[i * c_stride + j] : 0.0f;
            for (int64_t k = 0; k < inner; ++k) {
                sum += a.data[i * a.row_stride + k * a.column_stride] * b[k * b_stride + j];
            }
            c[i * c_stride + j] = sum;
        }
    }
}

}  // namespace holdfast::HF_VARIANT
