// The table of the CUDA half: chooses kernels and enqueues them. Nothing here waits for the device or asks it for memory.
#include <cstdio>

#include "cuda/anchor_loss_launch.hpp"
#include "cuda/backend.hpp"
#include "cuda/loss_sum.hpp"
#include "cuda/runtime.hpp"

namespace holdfast::cuda {
namespace {

CudaResult result_of(const char *where, const device::Outcome &outcome) {
    CudaResult result;
    result.status = outcome.status;
    if (outcome.status != HF_OK) {
        std::snprintf(result.message, sizeof result.message, "%s: %s", where, outcome.message);
    }
    return result;
}

AnchorLossLaunch *launch_of(const LaunchPlan &plan) {
    const bool on_chip = plan.path == Path::ON_CHIP;
    switch (plan.element_type) {
        case HF_FLOAT:
            return on_chip ? launch_on_chip_float : launch_streamed_float;
        case HF_FLOAT16:
            return on_chip ? launch_on_chip_float16 : launch_streamed_float16;
        case HF_BFLOAT16:
            return on_chip ? launch_on_chip_bfloat16 : launch_streamed_bfloat16;
        default:
            return launch_streamed_any;
    }
}

/// As many tokens at a time as a grid has room for.
device::Outcome launch_all(const LaunchPlan &plan, LossArguments loss, int64_t token_count, void *stream) {
    const int64_t most_tokens = INT32_MAX / plan.cluster;
    device::Outcome outcome;
    for (loss.first_token = 0; loss.first_token < token_count && outcome.status == HF_OK; loss.first_token += most_tokens) {
        const int64_t left = token_count - loss.first_token;
        const device::LaunchShape shape{(left < most_tokens ? left : most_tokens) * plan.cluster, plan.threads, plan.cluster,
                                        static_cast<size_t>(plan.shared_bytes)};
        outcome = launch_of(plan)(plan, loss, shape, stream);
    }
    return outcome;
}

size_t anchor_loss_workspace_bytes(const AnchorLoss &) { return 0; }

CudaResult anchor_loss(const AnchorLoss &loss, void *, size_t, void *stream) {
    if (loss.token_count == 0) {
        return {};
    }
    device::DeviceProperties properties;
    const device::Outcome queried = device::query(&properties);
    if (queried.status != HF_OK) {
        return result_of("hf_anchor_loss", queried);
    }
    const LaunchPlan chosen = plan(loss, properties);
    if (chosen.groups_per_block > INT32_MAX) {
        CudaResult result;
        result.status = HF_UNSUPPORTED;
        std::snprintf(result.message, sizeof result.message, "vocabulary_size: expected less than 2^33 for CUDA, got %lld",
                      static_cast<long long>(loss.widest_vocabulary()));
        return result;
    }
    return result_of("hf_anchor_loss", launch_all(chosen, arguments_of(loss, chosen), loss.token_count, stream));
}

CudaResult anchor_loss_sum(int64_t token_count, const hf_anchor_loss_tokens &tokens, const float *token_loss, float *sum, void *stream) {
    const device::LaunchShape shape{1, SUM_THREADS, 1, sizeof(Board)};
    return result_of("anchor_loss_sum",
                     device::launch(sum_losses, shape, stream, token_count, tokens.labels, tokens.weights, token_loss, sum));
}

}  // namespace
}  // namespace holdfast::cuda

extern "C" __attribute__((visibility("default"))) const holdfast::CudaBackend *hf_cuda_backend() {
    using namespace holdfast::cuda;
    static const holdfast::CudaBackend table = {HF_VERSION,
                                                runtime_name(),
                                                anchor_loss_workspace_bytes,
                                                anchor_loss,
                                                anchor_loss_sum,
                                                current_device,
                                                allocate,
                                                free,
                                                copy,
                                                synchronize,
                                                start_timer,
                                                stop_timer};
    return &table;
}
