#define HF_VARIANT avx2
#include "attention/attention_kernel.inc.hpp"
