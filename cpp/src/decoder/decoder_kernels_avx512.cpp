#define HF_VARIANT avx512
#include "decoder/decoder_kernels.inc.hpp"
