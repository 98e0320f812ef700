#define HF_VARIANT avx2
#include "optimizer/adamw_kernel.inc.hpp"
