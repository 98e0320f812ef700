#include "product/product.hpp"

#include <atomic>
#include <cstring>

#include "core/check.hpp"
#include "core/executor.hpp"
#include "core/scratch.hpp"
#include "product/library.hpp"
#include "product/tiles.hpp"
#include "simd/narrow.hpp"

namespace holdfast {
namespace {

using Product = MatrixProduct;

/// A tile of c with the parts of the operands that it is made of.
struct Tile {
    int64_t m, n;
    int64_t a, b, c;  // offsets in elements
    int64_t column;

    Tile(const Product &p, const Tiles &tiles, int64_t index) {
        const int64_t row = index / tiles.column_count * tiles.rows;
        column = index % tiles.column_count * tiles.columns;
        m = row + tiles.rows < p.m ? tiles.rows : p.m - row;
        n = column + tiles.columns < p.n ? tiles.columns : p.n - column;
        a = p.transpose_a ? row : row * p.a_stride;
        b = p.transpose_b ? column * p.b_stride : column;
        c = row * p.c_stride + column;
    }
};

void fill_with_bias(const Product &p, const Tile &tile) {
    for (int64_t row = 0; row < tile.m; ++row) {
        std::memcpy(p.c + tile.c + row * p.c_stride, p.bias + tile.column, static_cast<size_t>(tile.n) * sizeof(float));
    }
}

char letter(bool transpose) { return transpose ? 'T' : 'N'; }

/// Runs `gemm(tile, beta)` on every tile; its status is 0 if all succeed.
template <class Gemm>
hf_status run_tiles(const Product &p, int64_t few, const MatrixLibrary &library, const hf_executor *executor, Gemm &&gemm) {
    const Tiles tiles = Tiles::of(p.m, p.n, p.k, few);
    std::atomic<int> failure{0};
    parallel_for(executor, tiles.count(), [&](int64_t index) {
        const Tile tile(p, tiles, index);
        if (p.bias != nullptr) {
            fill_with_bias(p, tile);
        }
        const OneThread guard(library);
        const int status = gemm(tile, p.bias != nullptr ? 1.0f : p.beta);
        if (status != 0) {
            failure = status;
        }
    });
    if (failure == MatrixLibrary::OUT_OF_MEMORY) {
        return fail(HF_OUT_OF_MEMORY, "product of %lld x %lld x %lld: no memory for a part of it", number(p.m), number(p.n), number(p.k));
    }
    return failure == 0 ? HF_OK : fail(HF_INTERNAL, "product: %s failed with status %d", library.name, failure.load());
}

hf_status multiply_floats(const Product &p, const MatrixLibrary &library, const hf_executor *executor) {
    return run_tiles(p, 4, library, executor, [&](const Tile &tile, float beta) {
        return library.sgemm(letter(p.transpose_a), letter(p.transpose_b), tile.m, tile.n, p.k, p.alpha, p.a + tile.a, p.a_stride,
                             p.b + tile.b, p.b_stride, beta, p.c + tile.c, p.c_stride);
    });
}

/// Rounds a block of an operand to bfloat16, its rows packed one after another.
void narrow_block(const float *source, int64_t rows, int64_t columns, int64_t stride, uint16_t *target) {
    const Narrow narrow = narrow_of_this_machine();
    for (int64_t row = 0; row < rows; ++row) {
        narrow(source + row * stride, target + row * columns, columns);
    }
}

/// Rounds the operands of a tile a panel of the sum at a time, so that they are still in the second-level cache when they are multiplied.
/// Tiles side by side round the same rows again, which costs less than to wait for one another.
int multiply_bfloat_tile(const Product &p, const MatrixLibrary &library, const Tile &tile, float beta) {
    constexpr int64_t PANEL = 1536;
    const Scratch scratch(static_cast<size_t>((tile.m + tile.n) * (p.k < PANEL ? p.k : PANEL)) * sizeof(uint16_t));
    if (scratch.data() == nullptr) {
        return MatrixLibrary::OUT_OF_MEMORY;
    }
    for (int64_t begin = 0; begin < p.k; begin += PANEL) {
        const int64_t k = begin + PANEL < p.k ? PANEL : p.k - begin;
        uint16_t *a = static_cast<uint16_t *>(scratch.data()), *b = a + tile.m * k;
        const float *a_source = p.a + tile.a + (p.transpose_a ? begin * p.a_stride : begin);
        const float *b_source = p.b + tile.b + (p.transpose_b ? begin : begin * p.b_stride);
        narrow_block(a_source, p.transpose_a ? k : tile.m, p.transpose_a ? tile.m : k, p.a_stride, a);
        narrow_block(b_source, p.transpose_b ? tile.n : k, p.transpose_b ? k : tile.n, p.b_stride, b);
        const int status =
            library.gemm_bf16(letter(p.transpose_a), letter(p.transpose_b), tile.m, tile.n, k, p.alpha, a, p.transpose_a ? tile.m : k, b,
                              p.transpose_b ? k : tile.n, begin == 0 ? beta : 1.0f, p.c + tile.c, p.c_stride);
        if (status != 0) {
            return status;
        }
    }
    return 0;
}

hf_status multiply_bfloats(const Product &p, const MatrixLibrary &library, const hf_executor *executor) {
    // A tile is done several times as fast as one of floats, and rounding its operands is a larger part of it.
    return run_tiles(p, 2, library, executor, [&](const Tile &tile, float beta) { return multiply_bfloat_tile(p, library, tile, beta); });
}

/// The operand that the product sees: rounded where that is asked for.
double operand(const Product &p, const float *data, int64_t offset) {
    float value = data[offset];
    if (p.operand_type == HF_BFLOAT16) {
        uint16_t rounded;
        baseline::narrow(&value, &rounded, 1);
        const uint32_t bits = static_cast<uint32_t>(rounded) << 16;
        std::memcpy(&value, &bits, sizeof value);
    }
    return value;
}

void multiply_reference(const Product &p) {
    for (int64_t row = 0; row < p.m; ++row) {
        for (int64_t column = 0; column < p.n; ++column) {
            double sum = 0;
            for (int64_t i = 0; i < p.k; ++i) {
                const int64_t a = p.transpose_a ? i * p.a_stride + row : row * p.a_stride + i;
                const int64_t b = p.transpose_b ? column * p.b_stride + i : i * p.b_stride + column;
                sum += operand(p, p.a, a) * operand(p, p.b, b);
            }
            float &c = p.c[row * p.c_stride + column];
            const double base = p.bias != nullptr ? p.bias[column] : p.beta == 0 ? 0 : static_cast<double>(p.beta) * c;
            c = static_cast<float>(p.alpha * sum + base);
        }
    }
}

hf_status require_library(const Product &p) {
    if (matrix_library() == nullptr) {
        return fail(HF_UNSUPPORTED, "backend: expected a matrix library that hf_open_matrix_library has opened, got none");
    }
    if (p.operand_type == HF_BFLOAT16 && matrix_library()->gemm_bf16 == nullptr) {
        return fail(HF_UNSUPPORTED, "operand type bfloat16: expected a library with dnnl_gemm_bf16bf16f32, got %s without",
                    matrix_library()->name);
    }
    if (!hf_multiplies(p.operand_type)) {
        return fail(HF_UNSUPPORTED, "operand type bfloat16: expected a processor with AVX512_BF16 or AMX, got one without");
    }
    return HF_OK;
}

}  // namespace

hf_status multiply(int32_t backend, const MatrixProduct &product, const hf_executor *executor) {
    if (product.m == 0 || product.n == 0) {
        return HF_OK;
    }
    // The library need not define what an empty sum does to c.
    if (backend == HF_BACKEND_REFERENCE || product.k == 0) {
        multiply_reference(product);
        return HF_OK;
    }
    HF_CHECK(require_library(product));
    const MatrixLibrary &library = *matrix_library();
    return product.operand_type == HF_BFLOAT16 ? multiply_bfloats(product, library, executor) : multiply_floats(product, library, executor);
}

}  // namespace holdfast
