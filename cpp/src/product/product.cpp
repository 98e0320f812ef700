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

/// A panel of an operand for one call of the library.
template <class Element>
struct Panel {
    const Element *data;
    int64_t stride;
};

float widened(uint16_t bfloat) {
    const uint32_t bits = static_cast<uint32_t>(bfloat) << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

/// The stored elements of an operand [rows, columns] as floats: where they lie, or widened into `room`, row after row.
Panel<float> floats(const void *source, int32_t type, int64_t rows, int64_t columns, int64_t stride, float *room) {
    if (type == HF_FLOAT) {
        return {static_cast<const float *>(source), stride};
    }
    for (int64_t row = 0; row < rows; ++row) {
        const uint16_t *from = static_cast<const uint16_t *>(source) + row * stride;
        for (int64_t column = 0; column < columns; ++column) {
            room[row * columns + column] = widened(from[column]);
        }
    }
    return {room, columns};
}

/// The same as bfloat16: where they lie, or rounded into `room`.
Panel<uint16_t> bfloats(const void *source, int32_t type, int64_t rows, int64_t columns, int64_t stride, uint16_t *room) {
    if (type == HF_BFLOAT16) {
        return {static_cast<const uint16_t *>(source), stride};
    }
    const Narrow narrow = narrow_of_this_machine();
    for (int64_t row = 0; row < rows; ++row) {
        narrow(static_cast<const float *>(source) + row * stride, room + row * columns, columns);
    }
    return {room, columns};
}

/// Where a tile's part of an operand starts, `element` being its offset there.
const void *at(const void *operand, int32_t type, int64_t element) {
    return static_cast<const char *>(operand) + element * (type == HF_FLOAT ? 4 : 2);
}

/// Operands are converted a panel of the sum at a time, so that they are still in the second-level cache when they are multiplied. Tiles
/// side by side convert the same rows again, which costs less than to wait for one another.
constexpr int64_t PANEL = 1536;

/// Calls multiply_panel(begin, k, beta) for every panel of the sum until one fails.
template <class MultiplyPanel>
int multiply_panels(const Product &p, float beta, MultiplyPanel &&multiply_panel) {
    for (int64_t begin = 0; begin < p.k; begin += PANEL) {
        const int64_t k = begin + PANEL < p.k ? PANEL : p.k - begin;
        const int status = multiply_panel(begin, k, begin == 0 ? beta : 1.0f);
        if (status != 0) {
            return status;
        }
    }
    return 0;
}

int multiply_float_tile(const Product &p, const MatrixLibrary &library, const Tile &tile, float beta) {
    const char transa = letter(p.transpose_a), transb = letter(p.transpose_b);
    if (p.b_type == HF_FLOAT) {
        return library.sgemm(transa, transb, tile.m, tile.n, p.k, p.alpha, p.a + tile.a, p.a_stride,
                             static_cast<const float *>(p.b) + tile.b, p.b_stride, beta, p.c + tile.c, p.c_stride);
    }
    const Scratch scratch(static_cast<size_t>(tile.n * (p.k < PANEL ? p.k : PANEL)) * sizeof(float));
    if (scratch.data() == nullptr) {
        return MatrixLibrary::OUT_OF_MEMORY;
    }
    return multiply_panels(p, beta, [&](int64_t begin, int64_t k, float panel_beta) {
        const int64_t b_rows = p.transpose_b ? tile.n : k, b_columns = p.transpose_b ? k : tile.n;
        const void *b_source = at(p.b, p.b_type, tile.b + (p.transpose_b ? begin : begin * p.b_stride));
        const auto b = floats(b_source, p.b_type, b_rows, b_columns, p.b_stride, static_cast<float *>(scratch.data()));
        const float *a = p.a + tile.a + (p.transpose_a ? begin * p.a_stride : begin);
        return library.sgemm(transa, transb, tile.m, tile.n, k, p.alpha, a, p.a_stride, b.data, b.stride, panel_beta, p.c + tile.c,
                             p.c_stride);
    });
}

int multiply_bfloat_tile(const Product &p, const MatrixLibrary &library, const Tile &tile, float beta) {
    const Scratch scratch(static_cast<size_t>((tile.m + tile.n) * (p.k < PANEL ? p.k : PANEL)) * sizeof(uint16_t));
    if (scratch.data() == nullptr) {
        return MatrixLibrary::OUT_OF_MEMORY;
    }
    uint16_t *room = static_cast<uint16_t *>(scratch.data());
    return multiply_panels(p, beta, [&](int64_t begin, int64_t k, float panel_beta) {
        const float *a_source = p.a + tile.a + (p.transpose_a ? begin * p.a_stride : begin);
        const void *b_source = at(p.b, p.b_type, tile.b + (p.transpose_b ? begin : begin * p.b_stride));
        const auto a = bfloats(a_source, HF_FLOAT, p.transpose_a ? k : tile.m, p.transpose_a ? tile.m : k, p.a_stride, room);
        const auto b = bfloats(b_source, p.b_type, p.transpose_b ? tile.n : k, p.transpose_b ? k : tile.n, p.b_stride, room + tile.m * k);
        return library.gemm_bf16(letter(p.transpose_a), letter(p.transpose_b), tile.m, tile.n, k, p.alpha, a.data, a.stride, b.data,
                                 b.stride, panel_beta, p.c + tile.c, p.c_stride);
    });
}

hf_status multiply_floats(const Product &p, const MatrixLibrary &library, const hf_executor *executor) {
    return run_tiles(p, 4, library, executor, [&](const Tile &tile, float beta) { return multiply_float_tile(p, library, tile, beta); });
}

hf_status multiply_bfloats(const Product &p, const MatrixLibrary &library, const hf_executor *executor) {
    // A tile is done several times as fast as one of floats, and rounding its operands is a larger part of it.
    return run_tiles(p, 2, library, executor, [&](const Tile &tile, float beta) { return multiply_bfloat_tile(p, library, tile, beta); });
}

/// An element of an operand as the product sees it: rounded where that is asked for.
double operand(const Product &p, const void *data, int32_t type, int64_t offset) {
    if (type == HF_BFLOAT16) {
        return widened(static_cast<const uint16_t *>(data)[offset]);
    }
    const float value = static_cast<const float *>(data)[offset];
    if (p.operand_type == HF_FLOAT) {
        return value;
    }
    uint16_t rounded;
    baseline::narrow(&value, &rounded, 1);
    return widened(rounded);
}

void multiply_reference(const Product &p) {
    for (int64_t row = 0; row < p.m; ++row) {
        for (int64_t column = 0; column < p.n; ++column) {
            double sum = 0;
            for (int64_t i = 0; i < p.k; ++i) {
                const int64_t a = p.transpose_a ? i * p.a_stride + row : row * p.a_stride + i;
                const int64_t b = p.transpose_b ? column * p.b_stride + i : i * p.b_stride + column;
                sum += operand(p, p.a, HF_FLOAT, a) * operand(p, p.b, p.b_type, b);
            }
            float &c = p.c[row * p.c_stride + column];
            const double base = p.bias != nullptr ? p.bias[column] : p.beta == 0 ? 0 : static_cast<double>(p.beta) * c;
            c = static_cast<float>(p.alpha * sum + base);
        }
    }
}

}  // namespace

hf_status check_multiplies(int32_t operand_type) {
    if (matrix_library() == nullptr) {
        return fail(HF_UNSUPPORTED, "backend: expected a matrix library that hf_open_matrix_library has opened, got none");
    }
    if (operand_type == HF_BFLOAT16 && matrix_library()->gemm_bf16 == nullptr) {
        return fail(HF_UNSUPPORTED, "operand type bfloat16: expected a library with dnnl_gemm_bf16bf16f32, got %s without",
                    matrix_library()->name);
    }
    if (!hf_multiplies(operand_type)) {
        return fail(HF_UNSUPPORTED, "operand type bfloat16: expected a processor with AVX512_BF16 or AMX, got one without");
    }
    return HF_OK;
}

hf_status multiply(int32_t backend, const MatrixProduct &product, const hf_executor *executor) {
    if (product.m == 0 || product.n == 0) {
        return HF_OK;
    }
    // The library need not define what an empty sum does to c.
    if (backend == HF_BACKEND_REFERENCE || product.k == 0) {
        multiply_reference(product);
        return HF_OK;
    }
    HF_CHECK(check_multiplies(product.operand_type));
    const MatrixLibrary &library = *matrix_library();
    return product.operand_type == HF_BFLOAT16 ? multiply_bfloats(product, library, executor) : multiply_floats(product, library, executor);
}

}  // namespace holdfast
