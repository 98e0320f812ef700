#include "decoder/decoder.hpp"

#include "core/instruction_set.hpp"

namespace holdfast {

const DecoderKernels &decoder_kernels() {
    return *select_variant(&baseline::DECODER_KERNELS, &avx2::DECODER_KERNELS, &avx512::DECODER_KERNELS);
}

}  // namespace holdfast
