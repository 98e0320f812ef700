// The anchor loss in double precision, on rows that the caller holds in double precision too.
#pragma once

#include <cstddef>
#include <vector>

#include "loss/anchor_loss.hpp"

namespace holdfast {

/// A categorical distribution by its log-probabilities.
struct Distribution {
    std::vector<double> log_probability;
    double log_sum_exp = 0;

    double probability(size_t v) const;
    size_t size() const { return log_probability.size(); }
};

/// softmax(row / temperature)
Distribution softmax(std::vector<double> row, double temperature);

/// The mixture of two rows of logits, as interpolation HF_INTERPOLATION_... has it.
Distribution anchor_of(int32_t interpolation, double temperature, const std::vector<double> &snapshot, const std::vector<double> &reference,
                       double alpha);

/// In nats.
double entropy(const Distribution &);

/// Rows of logits of one width; empty: the side is absent.
struct ReferenceToken {
    std::vector<double> student, snapshot, reference;
    size_t label;
    double alpha;
};

struct ReferenceLoss {
    double loss = 0;
    std::vector<double> gradient;  // by the student's logits, without the token's weight
    double statistics[HF_STATISTICS_COUNT] = {};
};

ReferenceLoss reference_loss(const hf_anchor_loss_options &, const ReferenceToken &);

}  // namespace holdfast
