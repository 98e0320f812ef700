#define HF_VARIANT baseline
#include "optimizer/adamw_kernel.inc.hpp"
