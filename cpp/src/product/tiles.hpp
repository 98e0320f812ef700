// How a product is cut into tasks.
#pragma once

#include <cstdint>

namespace holdfast {

/// A grid over c. It follows from the sizes alone, so that the bits do not depend on the number of threads.
struct Tiles {
    int64_t rows, columns;            // of one tile; those at the ends are smaller
    int64_t row_count, column_count;  // tiles down and across

    int64_t count() const { return row_count * column_count; }

    /// Halves the longer side until a tile is small enough for the cache that it is read from more than once, but not smaller: what the
    /// library packs per tile pays by the tile's sides. No side is longer than what bounds the memory for rounded operands. Products of
    /// fewer tiles than `few` are cut on while each is worth handing out, so that several threads have work.
    static Tiles of(int64_t m, int64_t n, int64_t k, int64_t few) {
        constexpr int64_t LARGEST = 512 * 768, LONGEST = 4096;  // elements of c
        constexpr double LEAST = 1e8;                           // operations
        int64_t rows = m, columns = n, count = 1;
        double work = 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
        for (;; work /= 2, count *= 2) {
            int64_t &longer = rows >= columns ? rows : columns;
            const bool too_large = rows * columns > LARGEST || longer > LONGEST;
            if (longer <= VECTOR || !(too_large || (work > LEAST && count < few))) {
                break;
            }
            longer = rounded_up((longer + 1) / 2);
        }
        return {rows, columns, rows == 0 ? 0 : (m + rows - 1) / rows, columns == 0 ? 0 : (n + columns - 1) / columns};
    }

private:
    static constexpr int64_t VECTOR = 16;

    static int64_t rounded_up(int64_t size) { return (size + VECTOR - 1) / VECTOR * VECTOR; }
};

}  // namespace holdfast
