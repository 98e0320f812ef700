#define HF_VARIANT baseline
#include "loss/anchor_loss_row.inc.hpp"
