// The emulated devices that the suites of the CUDA kernels run on.
#pragma once

#include <gtest/gtest.h>

#include "emulator/emulator.hpp"
#include "holdfast/cuda.h"

namespace holdfast::testing {

/// Source of the sizes: NVIDIA, CUDA Programming Guide, "Technical Specifications per Compute Capability".
inline device::DeviceProperties device_of(int architecture) {
    constexpr int KIB = 1024;
    switch (architecture) {
        case 80:
            return {80, 108, 163 * KIB, 164 * KIB};
        case 86:
            return {86, 84, 99 * KIB, 100 * KIB};
        case 89:
            return {89, 128, 99 * KIB, 100 * KIB};
        case 100:
            return {100, 148, 227 * KIB, 228 * KIB};
        case 120:
            return {120, 170, 99 * KIB, 100 * KIB};
        default:
            return {90, 132, 227 * KIB, 228 * KIB};
    }
}

/// Opens the emulated CUDA library and makes the launches that follow find this device.
inline void emulate(int architecture) {
    ASSERT_EQ(HF_OK, hf_open_cuda_library(HOLDFAST_EMULATED_CUDA_LIBRARY)) << hf_last_error();
    emulator::set_device(device_of(architecture));
}

}  // namespace holdfast::testing
