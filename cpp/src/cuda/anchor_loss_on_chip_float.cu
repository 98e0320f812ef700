#include "cuda/anchor_loss_instances.hpp"

namespace holdfast::cuda {

device::Outcome launch_on_chip_float(const LaunchPlan &plan, const LossArguments &loss, const device::LaunchShape &shape, void *stream) {
    return launch_on_chip<Float>(plan, loss, shape, stream);
}

}  // namespace holdfast::cuda
