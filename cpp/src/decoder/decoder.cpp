#include "decoder/decoder.hpp"

#include "core/instruction_set.hpp"

namespace holdfast {

const DecoderKernels &decoder_kernels() {
    return *select_variant(&baseline::DECODER_KERNELS, &avx2::DECODER_KERNELS, &avx512::DECODER_KERNELS);
}

int64_t CausalAttention::tile() const {
    constexpr int64_t SCORES = 65536;  // 256 KiB of scores stay in the second-level cache
    const int64_t fitting = SCORES / (length < 1 ? 1 : length);
    const int64_t rows = fitting > 48 ? 48 : fitting < 12 ? 12 : fitting / 6 * 6;
    return rows < length ? rows : length;
}

int64_t CausalAttention::scratch_floats() const {
    const int64_t row = head_size + ROW_PADDING;
    const int64_t column = length + 2 * ROW_PADDING;
    // k, v, dk and dv by rows; k and v by columns; q, d_o and dq of a tile; two tiles of scores.
    return 4 * length * row + 2 * head_size * column + 3 * tile() * row + 2 * tile() * column;
}

}  // namespace holdfast
