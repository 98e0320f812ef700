#include "cuda/anchor_loss_instances.hpp"

namespace holdfast::cuda {

device::Outcome launch_streamed_float(const LaunchPlan &plan, const LossArguments &loss, const device::LaunchShape &shape, void *stream) {
    return launch_streamed<Float>(plan, loss, shape, stream);
}

}  // namespace holdfast::cuda
