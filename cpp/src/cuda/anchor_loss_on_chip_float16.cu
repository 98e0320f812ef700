#include "cuda/anchor_loss_instances.hpp"

namespace holdfast::cuda {

device::Outcome launch_on_chip_float16(const LaunchPlan &plan, const LossArguments &loss, const device::LaunchShape &shape, void *stream) {
    return launch_on_chip<Float16>(plan, loss, shape, stream);
}

}  // namespace holdfast::cuda
