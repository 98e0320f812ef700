// Matrix products: the reference against sums written down here, the cut into tiles, rounding to bfloat16, and libraries that are none.
// What HF_BACKEND_CPU multiplies is tested through the Java binding, which brings the library along.
#include "product/product.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "product/tiles.hpp"
#include "simd/narrow.hpp"
#include "support.hpp"

namespace {

using namespace holdfast::testing;

constexpr int64_t M = 5, N = 7, K = 3;

/// Operands with rows that are longer than they need be.
struct Matrices {
    Floats a, b, bias, c;
    holdfast::MatrixProduct product;

    Matrices(bool transpose_a, bool transpose_b) {
        std::mt19937 random(7);
        a = random_floats(random, 100);
        b = random_floats(random, 100);
        bias = random_floats(random, N);
        c = random_floats(random, 100);
        product.m = M;
        product.n = N;
        product.k = K;
        product.transpose_a = transpose_a;
        product.transpose_b = transpose_b;
        product.operand_type = HF_FLOAT;
        product.alpha = 0.5f;
        product.a = a.data();
        product.a_stride = 9;
        product.b = b.data();
        product.b_stride = 8;
        product.c = c.data();
        product.c_stride = 10;
    }

    double sum(int64_t row, int64_t column) const {
        double result = 0;
        for (int64_t i = 0; i < K; ++i) {
            const float left = product.transpose_a ? a[static_cast<size_t>(i * 9 + row)] : a[static_cast<size_t>(row * 9 + i)];
            const float right = product.transpose_b ? b[static_cast<size_t>(column * 8 + i)] : b[static_cast<size_t>(i * 8 + column)];
            result += static_cast<double>(left) * right;
        }
        return result;
    }
};

TEST(Product, ReferenceSumsEveryOrientation) {
    for (bool transpose_a : {false, true}) {
        for (bool transpose_b : {false, true}) {
            Matrices matrices(transpose_a, transpose_b);
            const Floats before = matrices.c;
            matrices.product.beta = 2.0f;
            ASSERT_EQ(HF_OK, holdfast::multiply(HF_BACKEND_REFERENCE, matrices.product, nullptr));
            for (int64_t i = 0; i < 100; ++i) {
                const bool inside = i / 10 < M && i % 10 < N;
                const double expected =
                    inside ? 0.5 * matrices.sum(i / 10, i % 10) + 2.0 * before[static_cast<size_t>(i)] : before[static_cast<size_t>(i)];
                EXPECT_FLOAT_EQ(static_cast<float>(expected), matrices.c[static_cast<size_t>(i)])
                    << transpose_a << transpose_b << " at " << i;
            }
        }
    }
}

TEST(Product, ReferenceAddsTheBiasAndReadsNothingOfC) {
    Matrices matrices(false, true);
    matrices.c.assign(100, std::numeric_limits<float>::quiet_NaN());
    matrices.product.bias = matrices.bias.data();
    ASSERT_EQ(HF_OK, holdfast::multiply(HF_BACKEND_REFERENCE, matrices.product, nullptr));
    EXPECT_FLOAT_EQ(static_cast<float>(0.5 * matrices.sum(4, 6) + matrices.bias[6]), matrices.c[46]);
    EXPECT_TRUE(std::isnan(matrices.c[47]));
}

TEST(Product, ReferenceReadsAnOperandStoredAsBfloat16) {
    Matrices matrices(false, true);
    std::vector<uint16_t> stored(matrices.b.size());
    holdfast::baseline::narrow(matrices.b.data(), stored.data(), static_cast<int64_t>(stored.size()));
    for (size_t i = 0; i < stored.size(); ++i) {
        const uint32_t bits = static_cast<uint32_t>(stored[i]) << 16;
        std::memcpy(&matrices.b[i], &bits, sizeof bits);
    }
    matrices.product.b = stored.data();
    matrices.product.b_type = HF_BFLOAT16;
    ASSERT_EQ(HF_OK, holdfast::multiply(HF_BACKEND_REFERENCE, matrices.product, nullptr));
    EXPECT_FLOAT_EQ(static_cast<float>(0.5 * matrices.sum(3, 2)), matrices.c[32]);
}

TEST(Product, AnEmptySumLeavesTheBiasOrTheScaledC) {
    Matrices matrices(false, false);
    matrices.product.k = 0;
    matrices.product.beta = 3.0f;
    const float before = matrices.c[0];
    ASSERT_EQ(HF_OK, holdfast::multiply(HF_BACKEND_CPU, matrices.product, nullptr));
    EXPECT_EQ(3.0f * before, matrices.c[0]);
}

TEST(Product, SaysThatNoLibraryIsOpen) {
    Matrices matrices(false, false);
    EXPECT_EQ(nullptr, hf_matrix_library());
    EXPECT_EQ(0, hf_multiplies(HF_FLOAT));
    EXPECT_EQ(HF_UNSUPPORTED, holdfast::multiply(HF_BACKEND_CPU, matrices.product, nullptr));
    EXPECT_STREQ("backend: expected a matrix library that hf_open_matrix_library has opened, got none", hf_last_error());
}

TEST(Product, RefusesALibraryThatIsNone) {
    EXPECT_EQ(HF_UNSUPPORTED, hf_open_matrix_library("/nowhere/libdnnl.so.3"));
    EXPECT_NE(nullptr, std::strstr(hf_last_error(), "path: expected oneDNN 3 (libdnnl.so.3), got /nowhere/libdnnl.so.3: "));
    EXPECT_EQ(HF_UNSUPPORTED, hf_open_matrix_library("libm.so.6"));
    EXPECT_NE(nullptr, std::strstr(hf_last_error(), "it lacks dnnl_version or dnnl_sgemm"));
    EXPECT_EQ(nullptr, hf_matrix_library());
}

TEST(Product, TilesCoverEveryElementOnce) {
    // Sizes around those of vectors, of decoders' layers and heads, and long thin ones.
    const int64_t sizes[] = {0, 1, 15, 16, 17, 192, 424, 576, 1024, 1536, 49152, 151936};
    for (int64_t m : sizes) {
        for (int64_t n : sizes) {
            const holdfast::Tiles tiles = holdfast::Tiles::of(m, n, 576, 4);
            if (m == 0 || n == 0) {
                EXPECT_EQ(0, tiles.count());
                continue;
            }
            EXPECT_LE(tiles.rows * (tiles.row_count - 1), m - 1) << m << " x " << n;
            EXPECT_GE(tiles.rows * tiles.row_count, m) << m << " x " << n;
            EXPECT_LE(tiles.columns * (tiles.column_count - 1), n - 1) << m << " x " << n;
            EXPECT_GE(tiles.columns * tiles.column_count, n) << m << " x " << n;
            EXPECT_LE(tiles.rows, 4096) << m << " x " << n;
            EXPECT_LE(tiles.columns, 4096) << m << " x " << n;
        }
    }
}

/// The nearest bfloat16 by its definition: ties to the even one.
uint16_t nearest(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    const uint16_t below = static_cast<uint16_t>(bits >> 16);
    const uint32_t rest = bits & 0xffff;
    return static_cast<uint16_t>(below + (rest > 0x8000 || (rest == 0x8000 && (below & 1)) ? 1 : 0));
}

class Rounding : public EveryImplementation {};
INSTANTIATE_TEST_SUITE_P(Every, Rounding, testing::ValuesIn(cpu_implementations()), name_of);

TEST_P(Rounding, IsToTheNearestAndKeepsNaN) {
    const Capped cap(GetParam());
    std::mt19937 random(3);
    Floats values = {0.0f, -0.0f, 1.0f, INFINITY, -INFINITY, std::numeric_limits<float>::max(), std::numeric_limits<float>::denorm_min()};
    while (values.size() < 5003) {  // not a multiple of any vector
        const uint32_t bits = random();
        float value;
        std::memcpy(&value, &bits, sizeof value);
        values.push_back(value);
    }
    std::vector<uint16_t> rounded(values.size());
    holdfast::narrow_of_this_machine()(values.data(), rounded.data(), static_cast<int64_t>(values.size()));
    for (size_t i = 0; i < values.size(); ++i) {
        if (std::isnan(values[i])) {
            EXPECT_GT(rounded[i] & 0x7fff, 0x7f80) << i;
        } else {
            EXPECT_EQ(nearest(values[i]), rounded[i]) << values[i];
        }
    }
}

}  // namespace
