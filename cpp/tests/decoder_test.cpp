// Kernels of decoder models against plain double precision, for every instruction set that this machine has.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "decoder/decoder.hpp"
#include "holdfast/holdfast.h"

namespace {

using Doubles = std::vector<double>;
using Floats = std::vector<float>;

class Decoder : public testing::TestWithParam<const char *> {
protected:
    void SetUp() override { ASSERT_EQ(HF_OK, hf_cap_cpu_instruction_set(GetParam())); }
    void TearDown() override { hf_cap_cpu_instruction_set("native"); }
    const holdfast::DecoderKernels &kernels() const { return holdfast::decoder_kernels(); }
};

INSTANTIATE_TEST_SUITE_P(Every, Decoder, testing::Values("baseline", "avx2", "avx512"), [](const auto &info) { return std::string(info.param); });

Floats random_floats(std::mt19937 &random, int64_t count, float spread = 1) {
    std::normal_distribution<float> normal(0, spread);
    Floats values(static_cast<size_t>(count));
    for (float &value : values) {
        value = normal(random);
    }
    return values;
}

Doubles widen(const Floats &values) { return Doubles(values.begin(), values.end()); }

double dot(const Doubles &a, const Doubles &b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) {
        sum += a[i] * b[i];
    }
    return sum;
}

/// d/dh f(x + h direction) at 0
double slope(const std::function<double(const Doubles &)> &f, const Doubles &x, const Doubles &direction) {
    const double h = 1e-5;
    Doubles up = x, down = x;
    for (size_t i = 0; i < x.size(); ++i) {
        up[i] += h * direction[i];
        down[i] -= h * direction[i];
    }
    return (f(up) - f(down)) / (2 * h);
}

/// The gradient's product with several directions is the slope along them.
void expect_gradient(const std::function<double(const Doubles &)> &f, const Floats &x, const Floats &gradient, const std::string &what) {
    std::mt19937 random(99);
    for (int trial = 0; trial < 5; ++trial) {
        const Doubles direction = widen(random_floats(random, static_cast<int64_t>(x.size())));
        const double expected = slope(f, widen(x), direction);
        const double scale = std::sqrt(dot(widen(gradient), widen(gradient)));
        EXPECT_NEAR(expected, dot(widen(gradient), direction), 2e-5 * (1 + scale)) << what;
    }
}

// ---- Norm and activation ---------------------------------------------------------------------------------------------

TEST_P(Decoder, RmsNormGradIsTheSlopeOfTheNorm) {
    for (int64_t hidden : {1, 7, 16, 65}) {
        const int64_t rows = 5;
        std::mt19937 random(1);
        const Floats x = random_floats(random, rows * hidden), scale = random_floats(random, hidden), dy = random_floats(random, rows * hidden);
        const Floats residual = random_floats(random, rows * hidden);
        Floats dx(x.size()), d_scale(scale.size());
        const holdfast::RmsNormGrad work{hidden, 1e-5f, dy.data(), x.data(), scale.data(), residual.data(), dx.data()};
        kernels().rms_norm_grad(work, 0, rows, d_scale.data());
        auto loss = [&](const Doubles &values, const Doubles &factors) {
            double sum = 0;
            for (int64_t row = 0; row < rows; ++row) {
                double squares = 0;
                for (int64_t i = 0; i < hidden; ++i) {
                    squares += values[row * hidden + i] * values[row * hidden + i];
                }
                const double inverse = 1 / std::sqrt(squares / static_cast<double>(hidden) + 1e-5);
                for (int64_t i = 0; i < hidden; ++i) {
                    const int64_t at = row * hidden + i;
                    sum += dy[at] * values[at] * inverse * factors[i];
                }
            }
            return sum;
        };
        expect_gradient([&](const Doubles &v) { return loss(v, widen(scale)) + dot(widen(residual), v); }, x, dx, "dx");
        expect_gradient([&](const Doubles &f) { return loss(widen(x), f); }, scale, d_scale, "d_scale");
    }
}

TEST_P(Decoder, SwiGluAndItsGradient) {
    for (int64_t count : {1, 5, 16, 37}) {
        std::mt19937 random(2);
        Floats gate = random_floats(random, count, 4);
        const Floats up = random_floats(random, count), dy = random_floats(random, count);
        Floats y(up.size()), d_gate(up.size()), d_up(up.size());
        kernels().swiglu(gate.data(), up.data(), y.data(), count);
        kernels().swiglu_grad(dy.data(), gate.data(), up.data(), d_gate.data(), d_up.data(), count);
        auto forward = [](double g, double u) { return g / (1 + std::exp(-g)) * u; };
        auto loss = [&](const Doubles &g, const Doubles &u) {
            double sum = 0;
            for (int64_t i = 0; i < count; ++i) {
                sum += dy[i] * forward(g[i], u[i]);
            }
            return sum;
        };
        for (int64_t i = 0; i < count; ++i) {
            EXPECT_NEAR(forward(gate[i], up[i]), y[i], 1e-6 * (1 + std::abs(y[i])));
        }
        expect_gradient([&](const Doubles &g) { return loss(g, widen(up)); }, gate, d_gate, "d_gate");
        expect_gradient([&](const Doubles &u) { return loss(widen(gate), u); }, up, d_up, "d_up");
        Floats in_place = gate;
        kernels().swiglu(in_place.data(), up.data(), in_place.data(), count);
        EXPECT_EQ(y, in_place);
    }
}

TEST_P(Decoder, SwiGluSurvivesLargeGates) {
    const Floats gate = {-200, 200, -90, 90}, up = {1, 1, 1, 1};
    Floats y(4), d_gate(4), d_up(4);
    kernels().swiglu(gate.data(), up.data(), y.data(), 4);
    EXPECT_EQ((Floats{0, 200, 0, 90}), y);
    kernels().swiglu_grad(up.data(), gate.data(), up.data(), d_gate.data(), d_up.data(), 4);
    EXPECT_EQ((Floats{0, 1, 0, 1}), d_gate);
}

// ---- Attention -------------------------------------------------------------------------------------------------------

struct Sizes {
    int64_t batch, length, heads, kv_heads, head_size;
};

struct Problem {
    Sizes sizes;
    bool rotates;
    Floats q, k, v, cos, sin, d_o;

    Problem(const Sizes &chosen, bool rotation) : sizes(chosen), rotates(rotation) {
        std::mt19937 random(3);
        const int64_t positions = chosen.batch * chosen.length, half = chosen.head_size / 2;
        q = random_floats(random, positions * chosen.heads * chosen.head_size);
        k = random_floats(random, positions * chosen.kv_heads * chosen.head_size);
        v = random_floats(random, positions * chosen.kv_heads * chosen.head_size);
        d_o = random_floats(random, positions * chosen.heads * chosen.head_size);
        for (int64_t t = 0; t < chosen.length; ++t) {
            for (int64_t i = 0; i < half; ++i) {
                const double angle = static_cast<double>(t) * std::pow(100.0, -static_cast<double>(i) / static_cast<double>(half));
                cos.push_back(static_cast<float>(std::cos(angle)));
                sin.push_back(static_cast<float>(std::sin(angle)));
            }
        }
    }

    float scale() const { return static_cast<float>(1 / std::sqrt(static_cast<double>(sizes.head_size))); }

    Doubles rotated(const Doubles &x, int64_t heads) const {
        Doubles y = x;
        const int64_t d = sizes.head_size, half = d / 2;
        for (int64_t row = 0; rotates && row < sizes.batch * sizes.length * heads; ++row) {
            const int64_t t = row / heads % sizes.length;
            for (int64_t i = 0; i < half; ++i) {
                const double a = x[row * d + i], b = x[row * d + half + i], c = cos[t * half + i], s = sin[t * half + i];
                y[row * d + i] = a * c - b * s;
                y[row * d + half + i] = b * c + a * s;
            }
        }
        return y;
    }

    /// Attention as it is written in books; also the log-sum-exps if wanted.
    Doubles forward(const Doubles &q_given, const Doubles &k_given, const Doubles &values, Doubles *lse = nullptr) const {
        const Doubles queries = rotated(q_given, sizes.heads), keys = rotated(k_given, sizes.kv_heads);
        const int64_t d = sizes.head_size;
        Doubles o(queries.size());
        for (int64_t b = 0; b < sizes.batch; ++b) {
            for (int64_t h = 0; h < sizes.heads; ++h) {
                for (int64_t i = 0; i < sizes.length; ++i) {
                    const int64_t kv = h / (sizes.heads / sizes.kv_heads);
                    const double *query = &queries[((b * sizes.length + i) * sizes.heads + h) * d];
                    double *output = &o[((b * sizes.length + i) * sizes.heads + h) * d];
                    double sum = 0;
                    for (int64_t j = 0; j <= i; ++j) {
                        const int64_t at = ((b * sizes.length + j) * sizes.kv_heads + kv) * d;
                        double score = 0;
                        for (int64_t e = 0; e < d; ++e) {
                            score += query[e] * keys[at + e];
                        }
                        const double weight = std::exp(score * static_cast<double>(scale()));
                        sum += weight;
                        for (int64_t e = 0; e < d; ++e) {
                            output[e] += weight * values[at + e];
                        }
                    }
                    for (int64_t e = 0; e < d; ++e) {
                        output[e] /= sum;
                    }
                    if (lse != nullptr) {
                        (*lse)[(b * sizes.heads + h) * sizes.length + i] = std::log(sum);
                    }
                }
            }
        }
        return o;
    }
};

struct Outcome {
    Floats o, lse, dq, dk, dv;

    Outcome(const holdfast::DecoderKernels &kernels, const Problem &problem)
        : o(problem.q.size()),
          lse(static_cast<size_t>(problem.sizes.batch * problem.sizes.heads * problem.sizes.length)),
          dq(problem.q.size()),
          dk(problem.k.size()),
          dv(problem.v.size()) {
        const Sizes &sizes = problem.sizes;
        holdfast::CausalAttention work{sizes.batch, sizes.length, sizes.heads, sizes.kv_heads, sizes.head_size, problem.scale(),
                                       problem.q.data(), problem.k.data(), problem.v.data(),
                                       problem.rotates ? problem.cos.data() : nullptr, problem.rotates ? problem.sin.data() : nullptr,
                                       o.data(), lse.data(), problem.d_o.data(), dq.data(), dk.data(), dv.data()};
        // Exactly what the contract allows, so that a sanitizer sees a step beyond it.
        const std::unique_ptr<float[]> scratch(new float[static_cast<size_t>(work.scratch_floats())]);
        for (int64_t b = 0; b < sizes.batch; ++b) {
            for (int64_t head = 0; head < sizes.kv_heads; ++head) {
                kernels.attention(work, b, head, scratch.get());
                kernels.attention_grad(work, b, head, scratch.get());
            }
        }
    }
};

/// Lengths around tiles (48) and vectors; head sizes with and without tails; grouped and plain heads.
const Sizes SIZES[] = {{2, 1, 2, 1, 4},  {1, 5, 4, 2, 6},   {2, 17, 3, 3, 16}, {1, 47, 2, 1, 20},
                       {1, 48, 2, 1, 8}, {1, 49, 3, 1, 64}, {1, 100, 2, 2, 10}, {1, 150, 2, 1, 32}};

TEST_P(Decoder, AttentionAgreesWithTheTextbook) {
    for (const Sizes &sizes : SIZES) {
        for (bool rotates : {false, true}) {
            const Problem problem(sizes, rotates);
            const Outcome outcome(kernels(), problem);
            Doubles lse(outcome.lse.size());
            const Doubles o = problem.forward(widen(problem.q), widen(problem.k), widen(problem.v), &lse);
            for (size_t i = 0; i < o.size(); ++i) {
                ASSERT_NEAR(o[i], outcome.o[i], 3e-6) << "length " << sizes.length << " at " << i;
            }
            for (size_t i = 0; i < lse.size(); ++i) {
                ASSERT_NEAR(lse[i], outcome.lse[i], 3e-6) << "length " << sizes.length << " at " << i;
            }
        }
    }
}

TEST_P(Decoder, AttentionGradIsTheSlopeOfAttention) {
    for (const Sizes &sizes : SIZES) {
        for (bool rotates : {false, true}) {
            const Problem problem(sizes, rotates);
            const Outcome outcome(kernels(), problem);
            const Doubles q = widen(problem.q), k = widen(problem.k), v = widen(problem.v), d_o = widen(problem.d_o);
            const std::string what = " length " + std::to_string(sizes.length) + " rotates " + std::to_string(rotates);
            expect_gradient([&](const Doubles &x) { return dot(d_o, problem.forward(x, k, v)); }, problem.q, outcome.dq, "dq" + what);
            expect_gradient([&](const Doubles &x) { return dot(d_o, problem.forward(q, x, v)); }, problem.k, outcome.dk, "dk" + what);
            expect_gradient([&](const Doubles &x) { return dot(d_o, problem.forward(q, k, x)); }, problem.v, outcome.dv, "dv" + what);
        }
    }
}

TEST_P(Decoder, AttentionNeverLooksAhead) {
    Problem problem({1, 60, 2, 1, 16}, true);
    const Outcome before(kernels(), problem);
    for (size_t i = 30 * 16; i < problem.k.size(); ++i) {
        problem.k[i] = 1e4f;
        problem.v[i] = -1e4f;
    }
    const Outcome after(kernels(), problem);
    for (size_t i = 0; i < 30 * 2 * 16; ++i) {
        ASSERT_EQ(before.o[i], after.o[i]);
    }
}

}  // namespace
