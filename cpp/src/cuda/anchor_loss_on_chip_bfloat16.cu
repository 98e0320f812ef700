#include "cuda/anchor_loss_instances.hpp"

namespace holdfast::cuda {

device::Outcome launch_on_chip_bfloat16(const LaunchPlan &plan, const LossArguments &loss, const device::LaunchShape &shape, void *stream) {
    return launch_on_chip<Bfloat16>(plan, loss, shape, stream);
}

}  // namespace holdfast::cuda
