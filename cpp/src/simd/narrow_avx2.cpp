#define HF_VARIANT avx2
#include "simd/narrow.inc.hpp"
