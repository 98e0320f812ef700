// The table of one instruction set.
#include "decoder/attention.inc.hpp"
#include "decoder/elementwise.inc.hpp"

namespace holdfast::HF_VARIANT {

extern const DecoderKernels DECODER_KERNELS = {rms_norm_grad, swiglu, swiglu_grad, add, attention, attention_grad};

}  // namespace holdfast::HF_VARIANT
