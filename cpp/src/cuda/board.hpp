// How the threads of a block, and the blocks of a cluster, put together what they found in a row: always in the same order, so that the
// bits are the same on every run.
#pragma once

#include <cstdint>

#include "cuda/element.hpp"
#include "cuda/launch_plan.hpp"

namespace holdfast::cuda {

constexpr int MAX_WARPS = MAX_THREADS / device::WARP_SIZE;
constexpr int SUMS = 8;
constexpr int PEAKS = 5;

/// What a block shows to the others of its cluster.
struct Contribution {
    double sums[SUMS];
    float peaks[PEAKS];
    bool label_is_preceded;  // an earlier column of this block has the block's largest logit of the student
};

/// What a row's maxima and sums pass through in shared memory.
struct Board {
    union {
        double sums[MAX_WARPS][SUMS];
        float peaks[MAX_WARPS][PEAKS];
    } warps;
    uint32_t warp_votes[MAX_WARPS];
    Contribution contributions[2];  // of rounds that follow each other: others may still read the one while the next is written
    float peaks[PEAKS];             // of the row
};

/// What a block of the cluster contributed to a round, after the round's sync_cluster.
HF_DEVICE const Contribution &contribution_of(Board &board, int round, int rank) {
    return *device::peer_shared(&board.contributions[round % 2], rank);
}

/// Maxima over the block, for every thread; NaN if there is one.
HF_DEVICE void block_peaks(Board &board, float (&peaks)[PEAKS]) {
    HF_UNROLL for (int i = 0; i < PEAKS; ++i) {
        for (int lanes = device::WARP_SIZE / 2; lanes > 0; lanes /= 2) {
            peaks[i] = device::max_or_nan(peaks[i], device::shuffle_xor(peaks[i], lanes));
        }
    }
    if (device::lane_index() == 0) {
        HF_UNROLL for (int i = 0; i < PEAKS; ++i) { board.warps.peaks[device::warp_index()][i] = peaks[i]; }
    }
    device::sync_block();
    for (int warp = 0; warp < device::block_size() / device::WARP_SIZE; ++warp) {
        HF_UNROLL for (int i = 0; i < PEAKS; ++i) { peaks[i] = device::max_or_nan(peaks[i], board.warps.peaks[warp][i]); }
    }
    device::sync_block();  // sums follow in the same place
}

/// Maxima over the block into its contribution. A sync_cluster must follow.
HF_DEVICE void contribute_peaks(Board &board, int round, const float (&peaks)[PEAKS]) {
    if (device::thread_index() == 0) {
        HF_UNROLL for (int i = 0; i < PEAKS; ++i) { board.contributions[round % 2].peaks[i] = peaks[i]; }
    }
}

/// One of the maxima over the cluster.
HF_DEVICE float cluster_peak(Board &board, int round, int i) {
    float peak = contribution_of(board, round, 0).peaks[i];
    for (int rank = 1; rank < device::cluster_size(); ++rank) {
        peak = device::max_or_nan(peak, contribution_of(board, round, rank).peaks[i]);
    }
    return peak;
}

/// Maxima over the cluster, for every thread, from those over the block.
HF_DEVICE void cluster_peaks(Board &board, int round, float (&peaks)[PEAKS]) {
    contribute_peaks(board, round, peaks);
    device::sync_cluster();
    if (device::thread_index() < PEAKS) {
        const int i = device::thread_index();
        board.peaks[i] = cluster_peak(board, round, i);
    }
    device::sync_block();
    HF_UNROLL for (int i = 0; i < PEAKS; ++i) { peaks[i] = board.peaks[i]; }
}

/// Sums over the warp: lane l gets that of value l % SUMS. Each step halves the values that a lane keeps and doubles the lanes they stand
/// for, which takes 9 shuffles instead of 40.
HF_DEVICE double warp_sums(double (&values)[SUMS]) {
    const int lane = device::lane_index();
    HF_UNROLL for (int kept = SUMS / 2; kept > 0; kept /= 2) {
        const bool upper = (lane & kept) != 0;
        HF_UNROLL for (int i = 0; i < kept; ++i) {
            const double given = upper ? values[i] : values[i + kept];
            values[i] = (upper ? values[i + kept] : values[i]) + device::shuffle_xor(given, kept);
        }
    }
    double sum = values[0];
    HF_UNROLL for (int lanes = SUMS; lanes < device::WARP_SIZE; lanes *= 2) { sum += device::shuffle_xor(sum, lanes); }
    return sum;
}

/// The lanes l, l + SUMS, ... of a warp hold parts of one sum; all of them get the whole.
HF_DEVICE double fold_lanes(double part) {
    HF_UNROLL for (int lanes = SUMS; lanes < device::WARP_SIZE; lanes *= 2) { part += device::shuffle_xor(part, lanes); }
    return part;
}

/// Sums over the block, and whether any thread votes yes, into the block's contribution. A sync_cluster must follow.
HF_DEVICE void contribute_sums(Board &board, int round, double (&values)[SUMS], bool vote) {
    const int lane = device::lane_index(), warp = device::warp_index();
    const double sum = warp_sums(values);
    if (lane < SUMS) {
        board.warps.sums[warp][lane] = sum;
    }
    const uint32_t votes = device::vote(vote);
    if (lane == 0) {
        board.warp_votes[warp] = votes;
    }
    device::sync_block();
    if (warp != 0) {
        return;
    }
    double part = 0;
    uint32_t any = 0;
    for (int other = lane / SUMS; other < device::block_size() / device::WARP_SIZE; other += device::WARP_SIZE / SUMS) {
        part += board.warps.sums[other][lane % SUMS];
        any |= board.warp_votes[other];
    }
    part = fold_lanes(part);
    any = device::vote(any != 0);
    Contribution &mine = board.contributions[round % 2];
    if (lane < SUMS) {
        mine.sums[lane] = part;
    }
    if (lane == 0) {
        mine.label_is_preceded = any != 0;
    }
}

/// Sums over the cluster for the lanes of the first warp, as in warp_sums. factor(contribution) multiplies a block's sum.
template <class Factor>
HF_DEVICE double collect_sums(Board &board, int round, Factor &&factor) {
    const int i = device::lane_index() % SUMS;
    double part = 0;
    for (int rank = device::lane_index() / SUMS; rank < device::cluster_size(); rank += device::WARP_SIZE / SUMS) {
        const Contribution &other = contribution_of(board, round, rank);
        part += other.sums[i] * factor(other);
    }
    return fold_lanes(part);
}

}  // namespace holdfast::cuda
