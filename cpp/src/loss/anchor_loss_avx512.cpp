#define HF_VARIANT avx512
#include "loss/anchor_loss_row.inc.hpp"
