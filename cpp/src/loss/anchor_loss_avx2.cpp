#define HF_VARIANT avx2
#include "loss/anchor_loss_row.inc.hpp"
