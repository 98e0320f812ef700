// Kernels of decoder models against plain double precision, for every instruction set that this machine has.
#include "decoder/decoder.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "support.hpp"

namespace {

using namespace holdfast::testing;
using Doubles = std::vector<double>;

class Decoder : public EveryImplementation {
protected:
    const holdfast::DecoderKernels &kernels() const {
        const Capped cap(GetParam());
        return holdfast::decoder_kernels();
    }
};

INSTANTIATE_TEST_SUITE_P(Every, Decoder, testing::ValuesIn(cpu_implementations()), name_of);

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
        // The slope is exact to 1e-10; the gradient's elements come from sums of up to 65 floats, a few roundings of 6e-8 each.
        EXPECT_NEAR(expected, dot(widen(gradient), direction), 16 * 0x1p-24 * (1 + scale)) << what;
    }
}

TEST_P(Decoder, RmsNormGradIsTheSlopeOfTheNorm) {
    for (int64_t hidden : {1, 7, 15, 16, 17, 65}) {
        const int64_t rows = 5;
        std::mt19937 random(1);
        const Floats x = random_floats(random, rows * hidden), scale = random_floats(random, hidden),
                     dy = random_floats(random, rows * hidden);
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
    for (int64_t count : {1, 5, 15, 16, 17, 37}) {
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
            EXPECT_NEAR(forward(gate[i], up[i]), y[i], 6 * 0x1p-24 * std::abs(y[i]));  // exponential, sum, quotient, up to three products
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

}  // namespace
