// AdamW and the gradient norm of every implementation against double precision, and what they refuse.
#include "holdfast/adamw.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "support.hpp"

namespace {

using namespace holdfast::testing;

const Implementation NATIVE = {HF_BACKEND_CPU, "native", "native"};

/// Around the widths of vectors and of chunks (65536), with tensors that share a chunk and tensors that span several.
const std::vector<int64_t> SIZES = {1, 3, 0, 7, 8, 9, 15, 16, 17, 33, 1000, 65536, 65537, 200003, 5};

using Tensors = std::vector<Floats>;

Tensors random_tensors(const std::vector<int64_t> &sizes, uint32_t seed, float spread) {
    std::mt19937 random(seed);
    Tensors tensors;
    for (int64_t size : sizes) {
        tensors.push_back(random_floats(random, size, spread));
    }
    return tensors;
}

Tensors zeros(const std::vector<int64_t> &sizes) {
    Tensors tensors;
    for (int64_t size : sizes) {
        tensors.emplace_back(static_cast<size_t>(size));
    }
    return tensors;
}

std::vector<float *> addresses(Tensors &tensors) {
    std::vector<float *> result;
    for (auto &tensor : tensors) {
        result.push_back(tensor.data());
    }
    return result;
}

struct State {
    std::vector<int64_t> sizes;
    Tensors parameters, gradients, first_moments, second_moments;

    explicit State(const std::vector<int64_t> &tensor_sizes)
        : sizes(tensor_sizes),
          parameters(random_tensors(sizes, 1, 0.1f)),
          gradients(random_tensors(sizes, 2, 0.01f)),
          first_moments(zeros(sizes)),
          second_moments(zeros(sizes)) {}

    hf_status step(const Implementation &implementation, const hf_adamw_options &options, const hf_executor *executor = nullptr) {
        const Capped cap(implementation);
        const auto p = addresses(parameters), g = addresses(gradients), m = addresses(first_moments), v = addresses(second_moments);
        const hf_adamw_tensors tensors{
            sizeof(hf_adamw_tensors), static_cast<int64_t>(sizes.size()), sizes.data(), p.data(), g.data(), m.data(), v.data()};
        return hf_adamw(implementation.backend, &options, &tensors, executor);
    }

    bool operator==(const State &other) const {
        const auto same = [](const Tensors &a, const Tensors &b) {
            for (size_t i = 0; i < a.size(); ++i) {
                if (a[i].size() != b[i].size() || (!a[i].empty() && std::memcmp(a[i].data(), b[i].data(), a[i].size() * 4) != 0)) {
                    return false;
                }
            }
            return true;
        };
        return same(parameters, other.parameters) && same(first_moments, other.first_moments) && same(second_moments, other.second_moments);
    }
};

hf_adamw_options settings(int64_t step) { return {sizeof(hf_adamw_options), 1e-3, 0.9, 0.999, 1e-8, 0.01, 0.5, step}; }

hf_status norm(const Implementation &implementation, const State &state, double *result) {
    const Capped cap(implementation);
    auto copy = state.gradients;
    const auto g = addresses(copy);
    return hf_gradient_norm(implementation.backend, static_cast<int64_t>(g.size()), state.sizes.data(), g.data(), result, nullptr);
}

/// Ten steps with state kept in double throughout.
struct Truth {
    std::vector<std::vector<double>> parameters, first_moments, second_moments;

    explicit Truth(const State &state) {
        for (const auto &tensor : state.parameters) {
            parameters.emplace_back(tensor.begin(), tensor.end());
            first_moments.emplace_back(tensor.size());
            second_moments.emplace_back(tensor.size());
        }
    }

    void step(const State &state, const hf_adamw_options &o) {
        for (size_t tensor = 0; tensor < parameters.size(); ++tensor) {
            for (size_t i = 0; i < parameters[tensor].size(); ++i) {
                double &theta = parameters[tensor][i], &m = first_moments[tensor][i], &v = second_moments[tensor][i];
                const double g = o.gradient_scale * static_cast<double>(state.gradients[tensor][i]);
                theta -= o.learning_rate * o.weight_decay * theta;
                m = o.beta1 * m + (1 - o.beta1) * g;
                v = o.beta2 * v + (1 - o.beta2) * g * g;
                const double root = std::sqrt(v) / std::sqrt(1 - std::pow(o.beta2, static_cast<double>(o.step)));
                theta -= o.learning_rate / (1 - std::pow(o.beta1, static_cast<double>(o.step))) * m / (root + o.epsilon);
            }
        }
    }
};

/// Largest error of `values`, relative to the larger of truth and `floor`.
double error(const Tensors &values, const std::vector<std::vector<double>> &truth, double floor) {
    double worst = 0;
    for (size_t tensor = 0; tensor < values.size(); ++tensor) {
        for (size_t i = 0; i < values[tensor].size(); ++i) {
            const double expected = truth[tensor][i];
            worst = std::max(worst, std::fabs(values[tensor][i] - expected) / std::max(std::fabs(expected), floor));
        }
    }
    return worst;
}

class Adamw : public EveryImplementation {};
class GradientNorm : public EveryImplementation {};

INSTANTIATE_TEST_SUITE_P(Every, Adamw, testing::ValuesIn(all_implementations()), name_of);
INSTANTIATE_TEST_SUITE_P(Every, GradientNorm, testing::ValuesIn(all_implementations()), name_of);

TEST_P(Adamw, FollowsDoublePrecisionOverTenSteps) {
    State state(SIZES);
    Truth truth(state);
    for (int64_t step = 1; step <= 10; ++step) {
        state.gradients = random_tensors(SIZES, static_cast<uint32_t>(100 + step), 0.01f);
        ASSERT_EQ(HF_OK, state.step(GetParam(), settings(step)));
        truth.step(state, settings(step));
    }
    // Ten roundings of a parameter, half a unit in the last place each (6e-8), plus an update that is 1e-3 at most and exact to 1e-6 of
    // that where m does not cancel; parameters are about 0.1. Moments: three roundings a step, that of m relative to the gradients.
    EXPECT_LT(error(state.parameters, truth.parameters, 0.1), 1e-6);
    EXPECT_LT(error(state.first_moments, truth.first_moments, 1e-3), 1e-6);
    EXPECT_LT(error(state.second_moments, truth.second_moments, 1e-12), 2e-6);
}

TEST_P(Adamw, GivesTheSameBitsWhateverTheThreadCount) {
    ASSERT_EQ(HF_OK, hf_set_thread_count(1));
    State expected(SIZES);
    ASSERT_EQ(HF_OK, expected.step(GetParam(), settings(1)));
    double expected_norm = 0;
    ASSERT_EQ(HF_OK, norm(GetParam(), expected, &expected_norm));
    for (int64_t threads : {2, 3, 8}) {
        ASSERT_EQ(HF_OK, hf_set_thread_count(threads));
        State state(SIZES);
        ASSERT_EQ(HF_OK, state.step(GetParam(), settings(1)));
        EXPECT_TRUE(state == expected) << threads << " threads";
        double found = 0;
        ASSERT_EQ(HF_OK, norm(GetParam(), state, &found));
        EXPECT_EQ(expected_norm, found) << threads << " threads";
    }
}

TEST_P(Adamw, DoesNotDependOnWhereAnElementStands) {
    State whole({70001});
    State parts({1, 12, 70001 - 13});
    size_t tensor = 0, offset = 0;
    for (size_t i = 0; i < 70001; ++i, ++offset) {
        while (offset == parts.parameters[tensor].size()) {
            ++tensor;
            offset = 0;
        }
        parts.parameters[tensor][offset] = whole.parameters[0][i];
        parts.gradients[tensor][offset] = whole.gradients[0][i];
    }
    ASSERT_EQ(HF_OK, whole.step(GetParam(), settings(1)));
    ASSERT_EQ(HF_OK, parts.step(GetParam(), settings(1)));
    std::vector<float> joined;
    for (const auto &part : parts.parameters) {
        joined.insert(joined.end(), part.begin(), part.end());
    }
    EXPECT_EQ(whole.parameters[0], joined);
}

TEST_P(Adamw, RunsOnTheCallersThreads) {
    BackwardExecutor executor;
    State state(SIZES), expected(SIZES);
    ASSERT_EQ(HF_OK, state.step(GetParam(), settings(1), executor.get()));
    ASSERT_EQ(HF_OK, expected.step(GetParam(), settings(1)));
    EXPECT_GT(executor.tasks(), 4);
    EXPECT_TRUE(state == expected);
}

TEST_P(GradientNorm, IsTheSquareRootOfTheSumInDouble) {
    const State state(SIZES);
    long double sum = 0;
    for (const auto &tensor : state.gradients) {
        for (float value : tensor) {
            sum += static_cast<long double>(value) * value;
        }
    }
    double found = 0;
    ASSERT_EQ(HF_OK, norm(GetParam(), state, &found));
    // Sums in double of 3e5 positive terms: 1e-16 a term at worst, in fact far less.
    EXPECT_NEAR(1, found / static_cast<double>(std::sqrt(sum)), 1e-12);
}

TEST_P(GradientNorm, IsNotFiniteExactlyIfAnElementIsNot) {
    State state(SIZES);
    State largest({1000});
    for (size_t tensor = 0; tensor < SIZES.size(); ++tensor) {
        if (SIZES[tensor] == 0) {
            continue;
        }
        double found = 0;
        state.gradients[tensor].back() = std::numeric_limits<float>::quiet_NaN();
        ASSERT_EQ(HF_OK, norm(GetParam(), state, &found));
        EXPECT_TRUE(std::isnan(found));
        state.gradients[tensor].back() = -std::numeric_limits<float>::infinity();
        ASSERT_EQ(HF_OK, norm(GetParam(), state, &found));
        EXPECT_TRUE(std::isinf(found));
        state.gradients[tensor].back() = 0;
    }
    std::fill(largest.gradients[0].begin(), largest.gradients[0].end(), std::numeric_limits<float>::max());
    double found = 0;
    ASSERT_EQ(HF_OK, norm(GetParam(), largest, &found));
    EXPECT_TRUE(std::isfinite(found));
}

TEST(GradientNormOfTensors, OfNothingIsZero) {
    double found = -1;
    ASSERT_EQ(HF_OK, hf_gradient_norm(HF_BACKEND_CPU, 0, nullptr, nullptr, &found, nullptr));
    EXPECT_EQ(0, found);
}

/// Seventy tensors of a million elements, all in the same memory.
TEST(GradientNormOfTensors, AddsMoreChunksThanFitIntoOneRound) {
    const std::vector<float> values(1000000, 0.5f);
    const std::vector<const float *> gradients(70, values.data());
    const std::vector<int64_t> sizes(70, 1000000);
    double found = 0;
    ASSERT_EQ(HF_OK, hf_gradient_norm(HF_BACKEND_CPU, 70, sizes.data(), gradients.data(), &found, nullptr));
    EXPECT_EQ(std::sqrt(70e6 * 0.25), found);
}

void expect_refused(const hf_adamw_options &options, const std::string &message) {
    State state({4}), before({4});
    EXPECT_EQ(HF_INVALID_ARGUMENT, state.step(NATIVE, options));
    EXPECT_EQ(message, hf_last_error());
    EXPECT_TRUE(state == before);
}

TEST(AdamwArguments, RefusesSettingsOutOfRangeAndNamesThem) {
    hf_adamw_options options = settings(1);
    options.beta2 = 1;
    expect_refused(options, "options.beta2: expected [0, 1), got 1");
    options = settings(1);
    options.learning_rate = -1;
    expect_refused(options, "options.learning_rate: expected a finite number >= 0, got -1");
    options = settings(1);
    options.epsilon = 0;
    expect_refused(options, "options.epsilon: expected a finite number > 0, got 0");
    options = settings(1);
    options.gradient_scale = NAN;
    expect_refused(options, "options.gradient_scale: expected a finite number, got nan");
    expect_refused(settings(0), "options.step: expected >= 1, got 0");
    options = settings(1);
    options.struct_size = 8;
    expect_refused(options, "options.struct_size: expected 64, got 8");
}

TEST(AdamwArguments, RefusesMissingTensorsAndNamesThem) {
    State state({4, 4});
    auto p = addresses(state.parameters), g = addresses(state.gradients), m = addresses(state.first_moments);
    std::vector<float *> v = {state.second_moments[0].data(), nullptr};
    hf_adamw_tensors tensors{sizeof(hf_adamw_tensors), 2, state.sizes.data(), p.data(), g.data(), m.data(), v.data()};
    const hf_adamw_options options = settings(1);
    EXPECT_EQ(HF_INVALID_ARGUMENT, hf_adamw(HF_BACKEND_CPU, &options, &tensors, nullptr));
    EXPECT_STREQ("tensors.second_moments[1]: expected a pointer aligned to its elements, got (nil)", hf_last_error());
    tensors.count = -1;
    EXPECT_EQ(HF_INVALID_ARGUMENT, hf_adamw(HF_BACKEND_CPU, &options, &tensors, nullptr));
    EXPECT_STREQ("tensors.count: expected >= 0, got -1", hf_last_error());
    EXPECT_EQ(HF_UNSUPPORTED, hf_adamw(HF_BACKEND_CUDA, &options, &tensors, nullptr));
}

}  // namespace
