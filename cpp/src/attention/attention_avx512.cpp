#define HF_VARIANT avx512
#include "attention/attention_kernel.inc.hpp"
