// The device that a build is for: nvcc's, or with HOLDFAST_EMULATED the one that cpp/test/emulator emulates on the CPU.
#pragma once

#ifdef HOLDFAST_EMULATED
#include "emulator/device_emulated.hpp"
#else
#include "cuda/device_nvcc.hpp"
#endif
