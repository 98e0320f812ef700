// The walk that sums divergences. Compiled once per instruction set.
#pragma once

#include "loss/probabilities.inc.hpp"

namespace holdfast::HF_VARIANT {
namespace {

/// log(p / m) and log(q / m) for m = beta q + (1 - beta) p.
struct MidpointRatios {
    F log_p_m;
    F log_q_m;
};

template <bool SPECIAL>
inline MidpointRatios midpoint_ratios(const Probabilities &k, float beta) {
    const I student_leads = k.x > F{};
    const F large = select(student_leads, broadcast(1.0f - beta), broadcast(beta));
    const F small = select(student_leads, broadcast(beta), broadcast(1.0f - beta));
    const F leader = -log_mixture(large, small, k.decay);
    const F follower = leader - absolute(k.x);
    return {select(student_leads, leader, follower), select(student_leads, follower, leader)};
}

/// The divergence's value, and for reverse KL and JSD the mean log-ratio that centres their gradient.
template <int DIVERGENCE, bool SPECIAL>
inline void add_value(const Probabilities &k, float beta, SecondSums &sums) {
    if (DIVERGENCE == HF_REVERSE_KL) {
        const F px = weighted<SPECIAL>(k.p, k.x);
        sums.value.add(px - k.delta);  // p (e^-x - 1 + x): no term is negative, so nothing cancels
        sums.first_order.add(px);
        sums.mass.add(k.p);
    }
    if (DIVERGENCE == HF_JSD) {
        const MidpointRatios m = midpoint_ratios<SPECIAL>(k, beta);
        const F p_m = weighted<SPECIAL>(k.p, m.log_p_m);
        sums.value.add(beta * weighted<SPECIAL>(k.q, m.log_q_m) + (1.0f - beta) * p_m);
        sums.first_order.add(p_m);
        sums.mass.add(k.p);
    }
}

struct Loss {
    double kl_anchor_student = 0;
    double kl_snapshot_anchor = 0;
    double divergence = 0;
    double mean_log_ratio = 0;
};

inline double not_negative(double value) { return value < 0 ? 0 : value; }

Loss finish(const Token &t, const SecondSums &sums) {
    Loss loss;
    loss.kl_anchor_student = not_negative(sums.anchor_student.value());
    loss.kl_snapshot_anchor = not_negative(sums.snapshot_anchor.value());
    loss.divergence = t.loss.options.divergence == HF_FORWARD_KL ? loss.kl_anchor_student : not_negative(sums.value.value());
    const double mass = sums.mass.value();
    loss.mean_log_ratio = mass > 0 ? sums.first_order.value() / mass : 0;
    return loss;
}

template <class Anchor, int DIVERGENCE>
Loss value_walk(const Token &t) {
    SecondSums sums;
    walk<Anchor>(t, [&](int64_t, const auto &chunk) {
        for (int64_t block = 0; block < CHUNK; block += LANES * BLOCK) {
            for (int64_t v = block; v < block + LANES * BLOCK; v += LANES) {
                const Probabilities k = chunk.template at<DIVERGENCE>(v, sums);
                add_value<DIVERGENCE, std::remove_reference_t<decltype(chunk)>::SPECIAL>(k, t.loss.options.beta, sums);
            }
            sums.flush();
        }
    });
    return finish(t, sums);
}

}  // namespace
}  // namespace holdfast::HF_VARIANT
