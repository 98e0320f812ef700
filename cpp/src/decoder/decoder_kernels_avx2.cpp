#define HF_VARIANT avx2
#include "decoder/decoder_kernels.inc.hpp"
