#define HF_VARIANT baseline
#include "attention/attention_kernel.inc.hpp"
