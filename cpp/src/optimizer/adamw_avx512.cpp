#define HF_VARIANT avx512
#include "optimizer/adamw_kernel.inc.hpp"
