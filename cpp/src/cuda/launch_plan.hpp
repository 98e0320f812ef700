// How the anchor loss is run on a device: a pure function of the arguments and of the device's properties.
//
// On the chip: a cluster of blocks keeps the token's rows in shared memory, so that every logit is read once. Streamed: every walk reads
// the rows again, through the caches; for devices before 9.0, for rows that do not fit, and for rows that do not lie alike.
#pragma once

#include <cstdint>

#include "cuda/device_interface.hpp"
#include "cuda/loss_arguments.hpp"
#include "loss/anchor_loss.hpp"

namespace holdfast::cuda {

enum class Path { ON_CHIP, STREAMED };

/// The sides that are read, and what the student is compared with.
enum class AnchorKind { STUDENT_ALONE, SNAPSHOT_ALONE, LOGITS, PROBABILITIES };

/// Threads of a block at most, which kernels are compiled for. On the chip two blocks share a multiprocessor, and each thread may have 128
/// registers; streamed, one block is alone, and each thread may have 168, for it holds the next group beside the one it computes.
constexpr int ON_CHIP_THREADS = 256;
constexpr int STREAMED_THREADS = 384;
constexpr int MAX_THREADS = 384;

/// Shared memory of a block before its part of the rows. Two blocks of a cluster of 8 that hold V = 151,936 in 16 bits are to fit into one
/// multiprocessor of 228 KiB, 1 KiB of which each block reserves; so it cannot be more.
constexpr int BOARD_BYTES = 1760;

struct LaunchPlan {
    Path path;
    int32_t element_type;  // of all rows, or 0 for rows that do not lie alike: of several types, or shifted differently against 16 bytes
    AnchorKind anchor;
    int32_t divergence;
    int cluster;  // blocks that share a token
    int threads;  // of a block
    int64_t groups_per_block;
    int64_t shared_bytes;  // of a block
};

LaunchPlan plan(const AnchorLoss &, const device::DeviceProperties &);

LossArguments arguments_of(const AnchorLoss &, const LaunchPlan &);

}  // namespace holdfast::cuda
