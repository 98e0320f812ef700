// Functions that launch the kernels of the anchor loss. There is one per path and type, each in a file of its own, so that they compile
// side by side.
#pragma once

#include "cuda/device_interface.hpp"
#include "cuda/launch_plan.hpp"

namespace holdfast::cuda {

using AnchorLossLaunch = device::Outcome(const LaunchPlan &, const LossArguments &, const device::LaunchShape &, void *stream);

AnchorLossLaunch launch_on_chip_float, launch_on_chip_float16, launch_on_chip_bfloat16;
AnchorLossLaunch launch_streamed_float, launch_streamed_float16, launch_streamed_bfloat16, launch_streamed_any;

}  // namespace holdfast::cuda
