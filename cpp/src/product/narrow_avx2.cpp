#define HF_VARIANT avx2
#include "product/narrow.inc.hpp"
