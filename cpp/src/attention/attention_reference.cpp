// Causal attention and its gradient as the formulas have them, in double precision.
#include <cmath>
#include <vector>

#include "attention/attention.hpp"

namespace holdfast {
namespace {

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;

/// Vectors of one head at all positions of a sequence, out of a tensor [B, T, heads d].
Matrix read(const Attention &a, const float *tensor, int64_t batch, int64_t head, int64_t heads) {
    Matrix rows;
    for (int64_t t = 0; t < a.sequence_length; ++t) {
        const float *row = tensor + ((batch * a.sequence_length + t) * heads + head) * a.head_size;
        rows.emplace_back(row, row + a.head_size);
    }
    return rows;
}

void write(const Attention &a, const Matrix &rows, int64_t batch, int64_t head, int64_t heads, float *tensor) {
    for (int64_t t = 0; t < a.sequence_length; ++t) {
        float *row = tensor + ((batch * a.sequence_length + t) * heads + head) * a.head_size;
        for (int64_t i = 0; i < a.head_size; ++i) {
            row[i] = static_cast<float>(rows[t][i]);
        }
    }
}

/// Rotates every position's vector; backwards with sign -1.
void rotate(const Attention &a, double sign, Matrix &rows) {
    if (a.cosines == nullptr) {
        return;
    }
    const int64_t half = a.head_size / 2;
    for (int64_t t = 0; t < a.sequence_length; ++t) {
        for (int64_t i = 0; i < half; ++i) {
            const double x1 = rows[t][i], x2 = rows[t][half + i];
            const double c = a.cosines[t * half + i], s = sign * a.sines[t * half + i];
            rows[t][i] = x1 * c - x2 * s;
            rows[t][half + i] = x2 * c + x1 * s;
        }
    }
}

double dot(const Vector &a, const Vector &b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) {
        sum += a[i] * b[i];
    }
    return sum;
}

void add(double factor, const Vector &source, Vector &target) {
    for (size_t i = 0; i < source.size(); ++i) {
        target[i] += factor * source[i];
    }
}

/// What one query head attends with.
struct Head {
    Matrix queries, keys, values;

    Head(const Attention &a, int64_t batch, int64_t head)
        : queries(read(a, a.query, batch, head, a.head_count)),
          keys(read(a, a.key, batch, head / a.group_size(), a.key_value_head_count)),
          values(read(a, a.value, batch, head / a.group_size(), a.key_value_head_count)) {
        rotate(a, 1, queries);
        rotate(a, 1, keys);
    }

    /// The probabilities of keys [0, i] and the logarithm of their sum before division.
    Vector probabilities(int64_t i, double scale, double &log_sum_exp) const {
        Vector p;
        double largest = -INFINITY;
        for (int64_t j = 0; j <= i; ++j) {
            p.push_back(scale * dot(queries[i], keys[j]));
            largest = std::fmax(largest, p.back());
        }
        double sum = 0;
        for (double score : p) {
            sum += std::exp(score - largest);
        }
        log_sum_exp = largest + std::log(sum);
        for (double &score : p) {
            score = std::exp(score - log_sum_exp);
        }
        return p;
    }
};

}  // namespace

void attention_reference(const Attention &a, int64_t batch, int64_t head) {
    const Head data(a, batch, head);
    Matrix outputs(a.sequence_length, Vector(a.head_size));
    for (int64_t i = 0; i < a.sequence_length; ++i) {
        double log_sum_exp = 0;
        const Vector p = data.probabilities(i, a.scale, log_sum_exp);
        for (int64_t j = 0; j <= i; ++j) {
            add(p[j], data.values[j], outputs[i]);
        }
        a.log_sum_exp[(batch * a.head_count + head) * a.sequence_length + i] = static_cast<float>(log_sum_exp);
    }
    write(a, outputs, batch, head, a.head_count, a.output);
}

void attention_gradient_reference(const Attention &a, int64_t batch, int64_t key_value_head) {
    const Matrix zeros(a.sequence_length, Vector(a.head_size));
    Matrix key_gradients = zeros, value_gradients = zeros;
    for (int64_t head = key_value_head * a.group_size(); head < (key_value_head + 1) * a.group_size(); ++head) {
        const Head data(a, batch, head);
        const Matrix output_gradients = read(a, a.output_gradient, batch, head, a.head_count);
        Matrix query_gradients = zeros;
        for (int64_t i = 0; i < a.sequence_length; ++i) {
            double log_sum_exp = 0;
            const Vector p = data.probabilities(i, a.scale, log_sum_exp);
            double delta = 0;
            for (int64_t j = 0; j <= i; ++j) {
                delta += p[j] * dot(output_gradients[i], data.values[j]);
            }
            for (int64_t j = 0; j <= i; ++j) {
                const double score_gradient = a.scale * p[j] * (dot(output_gradients[i], data.values[j]) - delta);
                add(score_gradient, data.keys[j], query_gradients[i]);
                add(score_gradient, data.queries[i], key_gradients[j]);
                add(p[j], output_gradients[i], value_gradients[j]);
            }
        }
        rotate(a, -1, query_gradients);
        write(a, query_gradients, batch, head, a.head_count, a.query_gradient);
    }
    rotate(a, -1, key_gradients);
    write(a, key_gradients, batch, key_value_head, a.key_value_head_count, a.key_gradient);
    write(a, value_gradients, batch, key_value_head, a.key_value_head_count, a.value_gradient);
}

}  // namespace holdfast
