#include "cuda/anchor_loss_instances.hpp"

namespace holdfast::cuda {

device::Outcome launch_streamed_bfloat16(const LaunchPlan &plan, const LossArguments &loss, const device::LaunchShape &shape,
                                         void *stream) {
    return launch_streamed<Bfloat16>(plan, loss, shape, stream);
}

}  // namespace holdfast::cuda
