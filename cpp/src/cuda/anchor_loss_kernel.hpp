// The kernels of the anchor loss: a cluster of blocks (of one, or of several that share a row) computes one token.
//
// Every walk over the token's rows ends in a round in which the cluster puts its sums together. One walk gives the masses of the sides and
// most statistics; one more gives the gradient, and for forward KL the value. Reverse KL and JSD need the value before the gradient and
// walk once more. Rows on the chip are surveyed first, as they arrive.
#pragma once

#include "cuda/findings.hpp"

namespace holdfast::cuda {

static_assert(sizeof(Shared) + OnChip<Float, true, true>::HEADER_BYTES <= BOARD_BYTES, "the plan leaves room for what is not rows");

/// One token in the hands of a cluster. Every thread calls run().
template <class Element, class Anchor, int DIVERGENCE, class Source>
class TokenLoss {
public:
    HF_DEVICE TokenLoss(const LossArguments &loss, const Token &token)
        : loss_(loss),
          token_(token),
          source_(loss, token.index, device::shared_memory() + sizeof(Shared)),
          gradient_(loss.gradient, token.index) {}

    HF_DEVICE void run() {
        source_.fetch();
        Survey survey;
        source_.survey([&](int group, const Groups<Element> &raw) { survey.see<Anchor>(group, source_.rows.whole.has(group), raw); });
        frame(survey);
        look_up_label();
        take_first_walk(survey, mixture_peak(frame_, survey.peaks));
        if (Anchor::HAS_MIXTURE && shared().findings.first_sums[MIXTURE] < LEAST_MIXTURE_MASS) {
            take_first_walk(survey, -INFINITE);
        }
        if constexpr (Anchor::HAS_REFERENCE) {
            distil();
        } else {
            write_cross_entropy();
        }
        write_results();
        device::sync_cluster();  // until here others may read this block's memory
    }

private:
    HF_DEVICE int next_round() { return rounds_++; }

    HF_DEVICE void frame(Survey &survey) {
        block_peaks(shared().board, survey.peaks);
        cluster_peaks(shared().board, next_round(), survey.peaks);
        frame_.alpha = token_.alpha;
        frame_.exponent_scale = loss_.exponent_scale;
        set_frame(frame_, survey.peaks);
    }

    /// Before any block may overwrite the student's row with its gradient.
    HF_DEVICE void look_up_label() {
        if (device::thread_index() != 0) {
            return;
        }
        if (!token_.has_label) {
            shared().label = {NAN, false, -1};
            return;
        }
        const int64_t place = token_.label + source_.rows.lead;
        const float logit = source_.student_at(token_.label);
        bool leads = true;
        for (int64_t column = token_.label - place % Element::COLUMNS; column < token_.label; ++column) {
            leads = leads && !(column >= 0 && source_.student_at(column) >= logit);
        }
        shared().label = {logit - frame_.shift[STUDENT], leads, place / Element::COLUMNS};
    }

    /// Walks, and puts the threads' and then the blocks' sums together.
    HF_DEVICE void take_first_walk(const Survey &survey, float mixture_peak) {
        Highest highest = Source::KEEPS_ROW ? survey.highest : Highest();
        auto walk = first_walk<Anchor, Element>(frame_, source_, survey.peaks, mixture_peak, highest);
        const int round = next_round();
        float peaks[PEAKS];
        HF_UNROLL for (int i = 0; i < PEAKS; ++i) { peaks[i] = walk.peaks[i]; }
        block_peaks(shared().board, peaks);
        HF_UNROLL for (int side = 0; side < SIDES; ++side) { walk.rebase(side, base_of(peaks[side], frame_.exponent_scale)); }
        double sums[SUMS];
        HF_UNROLL for (int i = 0; i < SUMS; ++i) { sums[i] = walk.sums.value(i); }
        frame_.is_special = frame_.is_special || is_special(peaks);
        const bool has_highest = highest.logit - frame_.shift[STUDENT] == peaks[STUDENT];
        contribute_peaks(shared().board, round, peaks);
        contribute_sums(shared().board, round, sums, has_highest && source_.rows.begin + highest.group < shared().label.group);
        device::sync_cluster();
        if (device::warp_index() == 0) {
            find_masses<Anchor>(shared(), round, frame_);
            device::sync_warp();
            if (device::lane_index() == 0) {
                set_row<Anchor>(shared(), loss_, token_, frame_, Element::HAS_GAINS);
            }
        }
        device::sync_block();
        row_ = shared().row;
    }

    HF_DEVICE void distil() {
        if (DIVERGENCE == HF_FORWARD_KL && row_.scale.distils) {
            merge(gradient_walk<Anchor, DIVERGENCE, Element>(frame_, row_, source_, gradient_));
            return;
        }
        merge(value_walk<Anchor, DIVERGENCE, Element>(frame_, row_, source_));
        if (!row_.scale.distils) {
            write_cross_entropy();
        } else if (loss_.gradient.data != nullptr) {
            gradient_walk<Anchor, DIVERGENCE, Element>(frame_, row_, source_, gradient_);
        }
    }

    HF_DEVICE void write_cross_entropy() {
        if (loss_.gradient.data != nullptr) {
            cross_entropy_walk<Element>(frame_, row_, source_, gradient_);
        }
    }

    /// Puts the sums of a later walk together.
    template <bool FOLDS>
    HF_DEVICE void merge(const Sums<SECOND_SUMS, FOLDS> &walked) {
        const int round = next_round();
        double sums[SUMS] = {};
        HF_UNROLL for (int i = 0; i < SECOND_SUMS; ++i) { sums[i] = walked.value(i); }
        contribute_sums(shared().board, round, sums, false);
        device::sync_cluster();
        if (device::warp_index() == 0) {
            const double sum = collect_sums(shared().board, round, [](const Contribution &) { return 1.0; });
            if (device::lane_index() < SUMS) {
                shared().findings.second_sums[device::lane_index()] = sum;
            }
            device::sync_warp();
            if (device::lane_index() == 0) {
                set_mean_log_ratio<DIVERGENCE>(shared());
            }
        }
        device::sync_block();
        row_ = shared().row;
    }

    HF_DEVICE void write_results() {
        if (device::cluster_rank() != 0 || device::thread_index() != 0) {
            return;
        }
        if (loss_.token_loss != nullptr) {
            device::store_cached(loss_.token_loss + token_.index, token_loss<Anchor, DIVERGENCE>(shared().findings, loss_, token_));
        }
        if (loss_.statistics != nullptr) {
            write_statistics<Anchor>(shared().findings, frame_, loss_.statistics + token_.index * HF_STATISTICS_COUNT);
        }
    }

    const LossArguments &loss_;
    const Token &token_;
    Source source_;
    const GradientRow<Element> gradient_;
    Frame frame_;
    RowScalars row_;
    int rounds_ = 0;
};

/// Zeros for a token that takes no part; an accumulated gradient keeps what it has.
template <class Element>
HF_DEVICE void write_ignored(const LossArguments &loss, int64_t token) {
    if (loss.gradient.data != nullptr && !loss.gradient.accumulates) {
        const TokenRows<Element, false, false> rows(loss, token);
        const GradientRow<Element> gradient(loss.gradient, token);
        for (int group = device::thread_index(); group < rows.count; group += device::block_size()) {
            float zeros[Element::COLUMNS] = {};
            gradient.write(rows.first_column(group), zeros);
        }
    }
    if (device::cluster_rank() != 0) {
        return;
    }
    if (loss.token_loss != nullptr && device::thread_index() == 0) {
        device::store_cached(loss.token_loss + token, 0.0f);
    }
    if (loss.statistics != nullptr && device::thread_index() < HF_STATISTICS_COUNT) {
        device::store_cached(loss.statistics + token * HF_STATISTICS_COUNT + device::thread_index(), 0.0f);
    }
}

template <class Element, class Anchor, int DIVERGENCE, class Source>
HF_DEVICE void anchor_loss_token(const LossArguments &loss) {
    const int64_t cluster = static_cast<int>(device::block_index()) / device::cluster_size();  // blocks of a launch are below 2^31
    const Token token(loss, loss.first_token + cluster);
    if (token.is_ignored()) {
        write_ignored<Element>(loss, token.index);
    } else {
        TokenLoss<Element, Anchor, DIVERGENCE, Source>(loss, token).run();
    }
}

/// Two blocks on a multiprocessor at least, so that one computes while the other's rows arrive.
template <class Element, class Anchor, int DIVERGENCE>
HF_KERNEL(ON_CHIP_THREADS, 2)
void anchor_loss_on_chip(const LossArguments loss) {
    if constexpr (device::HAS_BULK_COPIES) {
        anchor_loss_token<Element, Anchor, DIVERGENCE, OnChip<Element, Anchor::HAS_SNAPSHOT, Anchor::HAS_REFERENCE>>(loss);
    }
}

template <class Element, class Anchor, int DIVERGENCE>
HF_KERNEL(STREAMED_THREADS, 1)
void anchor_loss_streamed(const LossArguments loss) {
    anchor_loss_token<Element, Anchor, DIVERGENCE, Streamed<Element, Anchor::HAS_SNAPSHOT, Anchor::HAS_REFERENCE>>(loss);
}

}  // namespace holdfast::cuda
