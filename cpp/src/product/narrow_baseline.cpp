#define HF_VARIANT baseline
#include "product/narrow.inc.hpp"
