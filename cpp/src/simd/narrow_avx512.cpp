#define HF_VARIANT avx512
#include "simd/narrow.inc.hpp"
