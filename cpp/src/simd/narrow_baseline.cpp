#define HF_VARIANT baseline
#include "simd/narrow.inc.hpp"
