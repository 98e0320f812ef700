// Chooses among the kernels of one path and type. Included by the files that compile them.
#pragma once

#include "cuda/anchor_loss_kernel.hpp"
#include "cuda/anchor_loss_launch.hpp"

namespace holdfast::cuda {

template <class Element, class Anchor>
auto on_chip_kernel(int32_t divergence) {
    switch (divergence) {
        case HF_REVERSE_KL:
            return anchor_loss_on_chip<Element, Anchor, HF_REVERSE_KL>;
        case HF_JSD:
            return anchor_loss_on_chip<Element, Anchor, HF_JSD>;
        default:
            return anchor_loss_on_chip<Element, Anchor, HF_FORWARD_KL>;
    }
}

template <class Element, class Anchor>
auto streamed_kernel(int32_t divergence) {
    switch (divergence) {
        case HF_REVERSE_KL:
            return anchor_loss_streamed<Element, Anchor, HF_REVERSE_KL>;
        case HF_JSD:
            return anchor_loss_streamed<Element, Anchor, HF_JSD>;
        default:
            return anchor_loss_streamed<Element, Anchor, HF_FORWARD_KL>;
    }
}

template <class Element>
device::Outcome launch_on_chip(const LaunchPlan &plan, const LossArguments &loss, const device::LaunchShape &shape, void *stream) {
    switch (plan.anchor) {
        case AnchorKind::LOGITS:
            return device::launch(on_chip_kernel<Element, LogitAnchor>(plan.divergence), shape, stream, loss);
        case AnchorKind::PROBABILITIES:
            return device::launch(on_chip_kernel<Element, ProbabilityAnchor>(plan.divergence), shape, stream, loss);
        default:
            return device::launch(anchor_loss_on_chip<Element, StudentAlone, HF_FORWARD_KL>, shape, stream, loss);
    }
}

template <class Element>
device::Outcome launch_streamed(const LaunchPlan &plan, const LossArguments &loss, const device::LaunchShape &shape, void *stream) {
    switch (plan.anchor) {
        case AnchorKind::LOGITS:
            return device::launch(streamed_kernel<Element, LogitAnchor>(plan.divergence), shape, stream, loss);
        case AnchorKind::PROBABILITIES:
            return device::launch(streamed_kernel<Element, ProbabilityAnchor>(plan.divergence), shape, stream, loss);
        case AnchorKind::SNAPSHOT_ALONE:
            return device::launch(anchor_loss_streamed<Element, SnapshotAlone, HF_FORWARD_KL>, shape, stream, loss);
        default:
            return device::launch(anchor_loss_streamed<Element, StudentAlone, HF_FORWARD_KL>, shape, stream, loss);
    }
}

}  // namespace holdfast::cuda
