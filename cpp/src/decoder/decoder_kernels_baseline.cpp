#define HF_VARIANT baseline
#include "decoder/decoder_kernels.inc.hpp"
