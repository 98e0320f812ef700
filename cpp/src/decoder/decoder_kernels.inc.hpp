// The table of one instruction set.
#include "decoder/elementwise.inc.hpp"

namespace holdfast::HF_VARIANT {

extern const DecoderKernels DECODER_KERNELS = {rms_norm_grad, swiglu, swiglu_grad, add};

}  // namespace holdfast::HF_VARIANT
