// The anchor loss as plainly as possible, in double precision.
#include "loss/anchor_loss_reference.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "simd/element.hpp"

namespace holdfast {
namespace {

constexpr double INFINITE = std::numeric_limits<double>::infinity();

std::vector<double> read_row(const hf_logits &logits, int64_t token, int64_t width) {
    std::vector<double> row(static_cast<size_t>(width), -INFINITE);
    for (int64_t v = 0; v < logits.vocabulary_size; ++v) {
        row[static_cast<size_t>(v)] = element_at(logits.data, logits.element_type, token * logits.row_stride + v);
    }
    return row;
}

double log_sum_exp(const std::vector<double> &row) {
    double largest = -INFINITE;
    for (double z : row) {
        largest = z > largest ? z : largest;
    }
    double sum = 0;
    for (double z : row) {
        sum += std::exp(z - largest);
    }
    return largest + std::log(sum);
}

/// (1 - alpha) c + alpha r, where a side of weight 0 does not count even if it is infinite.
std::vector<double> mix_logits(const std::vector<double> &c, const std::vector<double> &r, double alpha) {
    if (alpha == 0.0) {
        return c;
    }
    if (alpha == 1.0) {
        return r;
    }
    std::vector<double> mixed(c.size());
    for (size_t v = 0; v < c.size(); ++v) {
        mixed[v] = std::isinf(c[v]) || std::isinf(r[v]) ? (1 - alpha) * c[v] + alpha * r[v] : c[v] + alpha * (r[v] - c[v]);
    }
    return mixed;
}

Distribution mix_probabilities(const Distribution &c, const Distribution &r, double alpha) {
    if (alpha == 0.0) {
        return c;
    }
    if (alpha == 1.0) {
        return r;
    }
    Distribution mixed;
    for (size_t v = 0; v < c.size(); ++v) {
        // Relative to the likelier side, for both may underflow; q = p_c when the sides agree, to the last bit.
        const double first = c.log_probability[v], second = r.log_probability[v];
        const bool second_leads = second > first;
        const double leader = second_leads ? second : first, other = second_leads ? first : second;
        mixed.log_probability.push_back(
            first == second ? first : leader + std::log1p((second_leads ? 1 - alpha : alpha) * std::expm1(other - leader)));
    }
    return mixed;
}

/// KL(a || b) = sum a (log a - log b)
double kl(const Distribution &a, const Distribution &b) {
    double sum = 0;
    for (size_t v = 0; v < a.size(); ++v) {
        const double p = a.probability(v);
        if (p != 0) {
            sum += p * (a.log_probability[v] - b.log_probability[v]);
        }
    }
    return sum < 0 ? 0 : sum;
}

/// m = beta q + (1 - beta) p
Distribution midpoint(const Distribution &q, const Distribution &p, double beta) { return mix_probabilities(q, p, 1 - beta); }

/// dKL(p || m) / dlog p on the simplex: p (log p - log m - KL(p || m)); 0 where the divergence is infinite.
std::vector<double> centred_log_ratio(const Distribution &p, const Distribution &m) {
    std::vector<double> gradient(p.size());
    const double mean = kl(p, m);
    for (size_t v = 0; v < p.size() && !std::isinf(mean); ++v) {
        const double probability = p.probability(v);
        gradient[v] = probability == 0 ? 0 : probability * (p.log_probability[v] - m.log_probability[v] - mean);
    }
    return gradient;
}

struct Term {
    double loss = 0;
    std::vector<double> gradient;  // by the student's logits over the temperature
};

Term divergence(const hf_anchor_loss_options &options, const Distribution &p, const Distribution &q) {
    Term term;
    if (options.divergence == HF_FORWARD_KL) {
        term.loss = kl(q, p);
        for (size_t v = 0; v < p.size(); ++v) {
            term.gradient.push_back(p.probability(v) - q.probability(v));
        }
    } else if (options.divergence == HF_REVERSE_KL) {
        term.loss = kl(p, q);
        term.gradient = centred_log_ratio(p, q);
    } else {
        const double beta = options.beta;
        const Distribution m = midpoint(q, p, beta);
        term.loss = beta * kl(q, m) + (1 - beta) * kl(p, m);
        term.gradient = centred_log_ratio(p, m);
        for (double &g : term.gradient) {
            g *= 1 - beta;
        }
    }
    return term;
}

Term cross_entropy(const hf_anchor_loss_options &options, const Distribution &p, size_t label) {
    const double omega = options.label_weighting == HF_LABEL_WEIGHTING_DFT ? p.probability(label) : 1.0;
    Term term;
    term.gradient.resize(p.size());
    if (omega == 0) {
        return term;
    }
    term.loss = -omega * p.log_probability[label];
    for (size_t v = 0; v < p.size(); ++v) {
        term.gradient[v] = omega * (v == label ? std::expm1(p.log_probability[v]) : p.probability(v));
    }
    return term;
}

void add(Term &sum, double weight, const Term &term) {
    sum.loss += weight * term.loss;
    for (size_t v = 0; v < sum.gradient.size(); ++v) {
        sum.gradient[v] += weight * term.gradient[v];
    }
}

bool is_argmax(const std::vector<double> &row, size_t label) {
    return std::max_element(row.begin(), row.end()) == row.begin() + static_cast<std::ptrdiff_t>(label);
}

void write_gradient(const AnchorLoss &loss, int64_t token, const std::vector<double> &gradient) {
    const hf_anchor_loss_outputs &out = loss.outputs;
    for (int64_t v = 0; v < loss.student.vocabulary_size; ++v) {
        const int64_t index = token * out.gradient_stride + v;
        double value = loss.tokens.weights[token] * gradient[static_cast<size_t>(v)];
        if (out.gradient_mode == HF_GRADIENT_ACCUMULATE) {
            value += element_at(out.student_gradient, out.gradient_type, index);
        }
        put_element(out.student_gradient, out.gradient_type, index, static_cast<float>(value));
    }
}

}  // namespace

double Distribution::probability(size_t v) const { return std::exp(log_probability[v]); }

Distribution softmax(std::vector<double> row, double temperature) {
    for (double &z : row) {
        z /= temperature;
    }
    const double largest = *std::max_element(row.begin(), row.end());
    for (double &z : row) {
        z -= largest;  // apart from the logarithm, which large logits would swallow
    }
    const double log_mass = log_sum_exp(row);
    for (double &z : row) {
        z -= log_mass;
    }
    return {std::move(row), largest + log_mass};
}

Distribution anchor_of(int32_t interpolation, double temperature, const std::vector<double> &snapshot, const std::vector<double> &reference,
                       double alpha) {
    return interpolation == HF_INTERPOLATION_LOGIT
               ? softmax(mix_logits(snapshot, reference, alpha), temperature)
               : mix_probabilities(softmax(snapshot, temperature), softmax(reference, temperature), alpha);
}

double entropy(const Distribution &a) {
    double sum = 0;
    for (size_t v = 0; v < a.size(); ++v) {
        const double p = a.probability(v);
        sum -= p == 0 ? 0 : p * a.log_probability[v];
    }
    return sum;
}

ReferenceLoss reference_loss(const hf_anchor_loss_options &options, const ReferenceToken &token) {
    const std::vector<double> &s = token.student;
    const bool has_snapshot = !token.snapshot.empty(), has_reference = !token.reference.empty();
    const std::vector<double> &c = has_snapshot ? token.snapshot : s;
    const Distribution p_s = softmax(s, options.temperature);
    const Distribution p_c = softmax(c, options.temperature);

    Term total;
    total.gradient.resize(s.size());
    ReferenceLoss result;
    double(&statistics)[HF_STATISTICS_COUNT] = result.statistics;
    if (has_reference) {
        const Distribution p_r = softmax(token.reference, options.temperature);
        const Distribution q = anchor_of(options.interpolation, options.temperature, c, token.reference, token.alpha);
        if (options.kd_weight > 0) {
            add(total, options.kd_weight, divergence(options, p_s, q));
        }
        statistics[HF_KL_ANCHOR_STUDENT] = kl(q, p_s);
        statistics[HF_KL_SNAPSHOT_ANCHOR] = kl(p_c, q);
        statistics[HF_KL_SNAPSHOT_REFERENCE] = kl(p_c, p_r);
        statistics[HF_KL_STUDENT_REFERENCE] = kl(p_s, p_r);
        statistics[HF_REFERENCE_LOG_SUM_EXP] = p_r.log_sum_exp;
    }
    if (has_snapshot) {
        statistics[HF_KL_SNAPSHOT_STUDENT] = kl(p_c, p_s);
    }
    if (has_snapshot || has_reference) {
        statistics[HF_SNAPSHOT_LOG_SUM_EXP] = p_c.log_sum_exp;
    }
    if (options.ce_weight > 0) {
        add(total, options.ce_weight, cross_entropy(options, p_s, token.label));
    }
    statistics[HF_STUDENT_ENTROPY] = entropy(p_s);
    statistics[HF_STUDENT_LOG_SUM_EXP] = p_s.log_sum_exp;
    statistics[HF_LABEL_LOG_PROBABILITY] = p_s.log_probability[token.label];
    statistics[HF_LABEL_IS_ARGMAX] = is_argmax(s, token.label) ? 1 : 0;
    result.loss = total.loss;
    result.gradient = std::move(total.gradient);
    for (double &g : result.gradient) {
        g /= options.temperature;
    }
    return result;
}

void anchor_loss_reference(const AnchorLoss &loss, int64_t token, void *) {
    const int64_t width = loss.widest_vocabulary();
    ReferenceToken rows{read_row(loss.student, token, width), {}, {}, static_cast<size_t>(loss.tokens.labels[token]), loss.alpha(token)};
    if (loss.has_snapshot()) {
        rows.snapshot = read_row(loss.snapshot, token, width);
    }
    if (loss.has_reference()) {
        rows.reference = read_row(loss.reference, token, width);
    }
    const ReferenceLoss result = reference_loss(loss.options, rows);
    if (loss.wants_gradient()) {
        write_gradient(loss, token, result.gradient);
    }
    if (loss.outputs.token_loss != nullptr) {
        loss.outputs.token_loss[token] = static_cast<float>(result.loss);
    }
    if (loss.outputs.statistics != nullptr) {
        for (int64_t column = 0; column < HF_STATISTICS_COUNT; ++column) {
            loss.outputs.statistics[token * HF_STATISTICS_COUNT + column] = static_cast<float>(result.statistics[column]);
        }
    }
}

}  // namespace holdfast
