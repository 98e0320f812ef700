#define HF_VARIANT avx512
#include "product/narrow.inc.hpp"
