// Causal attention and its gradient: the reference against differences, every implementation against the reference, and what they refuse.
#include "holdfast/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "support.hpp"

namespace {

using namespace holdfast::testing;

Floats seeded_floats(int64_t count, uint32_t seed) {
    std::mt19937 random(seed);
    return random_floats(random, count);
}

struct Sizes {
    int64_t batch, positions, heads, key_value_heads, head_size;
    bool rotary;

    int64_t query_elements() const { return batch * positions * heads * head_size; }
    int64_t key_elements() const { return batch * positions * key_value_heads * head_size; }
    std::string text() const {
        return "B " + std::to_string(batch) + ", T " + std::to_string(positions) + ", heads " + std::to_string(heads) + "/" +
               std::to_string(key_value_heads) + ", d " + std::to_string(head_size) + (rotary ? ", rotary" : "");
    }
};

struct Results {
    Floats output, log_sum_exp, query_gradient, key_gradient, value_gradient;

    bool operator==(const Results &o) const {
        return output == o.output && log_sum_exp == o.log_sum_exp && query_gradient == o.query_gradient && key_gradient == o.key_gradient &&
               value_gradient == o.value_gradient;
    }
};

struct Case {
    Sizes sizes;
    hf_causal_attention_options options;
    Floats query, key, value, cosines, sines, output_gradient;

    explicit Case(const Sizes &chosen)
        : sizes(chosen),
          options{sizeof(hf_causal_attention_options),
                  sizes.batch,
                  sizes.positions,
                  sizes.heads,
                  sizes.key_value_heads,
                  sizes.head_size,
                  1 / std::sqrt(static_cast<float>(sizes.head_size))},
          query(seeded_floats(sizes.query_elements(), 1)),
          key(seeded_floats(sizes.key_elements(), 2)),
          value(seeded_floats(sizes.key_elements(), 3)),
          output_gradient(seeded_floats(sizes.query_elements(), 4)) {
        for (int64_t position = 0; sizes.rotary && position < sizes.positions; ++position) {
            for (int64_t i = 0; i < sizes.head_size / 2; ++i) {
                const double angle = static_cast<double>(position) * std::pow(100.0, -2.0 * static_cast<double>(i) / sizes.head_size);
                cosines.push_back(static_cast<float>(std::cos(angle)));
                sines.push_back(static_cast<float>(std::sin(angle)));
            }
        }
    }

    hf_causal_attention_inputs inputs() const {
        return {sizeof(hf_causal_attention_inputs),   query.data(), key.data(), value.data(), sizes.rotary ? cosines.data() : nullptr,
                sizes.rotary ? sines.data() : nullptr};
    }

    /// Memory for the results, full of NaN so that what is not written is found.
    Results blank() const {
        const auto filled = [](int64_t count) { return Floats(static_cast<size_t>(count), NAN); };
        return {filled(sizes.query_elements()), filled(sizes.batch * sizes.heads * sizes.positions), filled(sizes.query_elements()),
                filled(sizes.key_elements()), filled(sizes.key_elements())};
    }

    hf_status forward(int32_t backend, Results &results, const hf_executor *executor = nullptr) const {
        const hf_causal_attention_inputs in = inputs();
        return hf_causal_attention(backend, &options, &in, results.output.data(), results.log_sum_exp.data(), executor);
    }

    hf_status backward(int32_t backend, Results &results, const hf_executor *executor = nullptr) const {
        const hf_causal_attention_inputs in = inputs();
        return hf_causal_attention_gradient(backend, &options, &in, results.output.data(), results.log_sum_exp.data(),
                                            output_gradient.data(), results.query_gradient.data(), results.key_gradient.data(),
                                            results.value_gradient.data(), executor);
    }

    Results run(const Implementation &implementation, const hf_executor *executor = nullptr) const {
        const Capped cap(implementation);
        Results results = blank();
        EXPECT_EQ(HF_OK, forward(implementation.backend, results, executor)) << hf_last_error();
        EXPECT_EQ(HF_OK, backward(implementation.backend, results, executor)) << hf_last_error();
        return results;
    }

    /// sum(output * output_gradient)
    double loss() const {
        Results results = blank();
        EXPECT_EQ(HF_OK, forward(HF_BACKEND_REFERENCE, results));
        double sum = 0;
        for (size_t i = 0; i < results.output.size(); ++i) {
            sum += static_cast<double>(results.output[i]) * static_cast<double>(output_gradient[i]);
        }
        return sum;
    }
};

void expect_near(const char *name, const Floats &expected, const Floats &found, double tolerance) {
    ASSERT_EQ(expected.size(), found.size());
    for (size_t i = 0; i < expected.size(); ++i) {
        ASSERT_NEAR(expected[i], found[i], tolerance) << name << "[" << i << "]";
    }
}

/// Inputs are about 1 and outputs averages of them. A score is a sum of d products times 1 / sqrt(d), so that its error is a few 1e-7 and
/// goes into the weights relatively: outputs and the logarithm, which is below 8, are exact to some units of 5e-7 (eight and four of them).
/// A gradient adds up to T such terms for each of the group's heads, most of them small: twenty.
void expect_like_reference(const Case &test, const Implementation &implementation) {
    SCOPED_TRACE(test.sizes.text());
    const Results expected = test.run(REFERENCE), found = test.run(implementation);
    expect_near("output", expected.output, found.output, 8 * 0x1p-21);
    expect_near("log_sum_exp", expected.log_sum_exp, found.log_sum_exp, 4 * 0x1p-21);
    expect_near("query_gradient", expected.query_gradient, found.query_gradient, 20 * 0x1p-21);
    expect_near("key_gradient", expected.key_gradient, found.key_gradient, 20 * 0x1p-21);
    expect_near("value_gradient", expected.value_gradient, found.value_gradient, 20 * 0x1p-21);
}

class CausalAttention : public EveryImplementation {};

INSTANTIATE_TEST_SUITE_P(Every, CausalAttention, testing::ValuesIn(cpu_implementations()), name_of);

/// Lengths around the sizes of blocks and pieces, head sizes below, at and beside the width of vectors.
TEST_P(CausalAttention, FollowsTheReference) {
    for (int64_t positions : {1, 2, 63, 64, 65, 130}) {
        for (int64_t head_size : {2, 8, 12, 64, 80, 128}) {
            for (bool rotary : {false, true}) {
                expect_like_reference(Case({1, positions, 2, 2, head_size, rotary}), GetParam());
                expect_like_reference(Case({2, positions, 6, 2, head_size, rotary}), GetParam());
                expect_like_reference(Case({1, positions, 3, 1, head_size, rotary}), GetParam());
            }
        }
    }
}

/// More keys than fit into a block, and enough key and value heads to give each a task of its own.
TEST_P(CausalAttention, FollowsTheReferenceOverManyBlocks) {
    for (int64_t positions : {95, 96, 97, 191, 192, 193, 400}) {
        expect_like_reference(Case({1, positions, 2, 1, 8, true}), GetParam());
        expect_like_reference(Case({4, positions, 4, 2, 6, true}), GetParam());
    }
}

TEST_P(CausalAttention, TakesOddHeadSizesWithoutRotation) { expect_like_reference(Case({2, 20, 4, 2, 5, false}), GetParam()); }

TEST(CausalAttentionReference, HasTheGradientThatDifferencesShow) {
    for (bool rotary : {false, true}) {
        Case test({2, 5, 4, 2, 4, rotary});
        const Results results = test.run(REFERENCE);
        const auto check = [&](const char *name, Floats &values, const Floats &gradient) {
            for (size_t i = 0; i < values.size(); ++i) {
                const float value = values[i], step = 1.0f / 64;
                values[i] = value + step;
                const double above = test.loss();
                values[i] = value - step;
                const double below = test.loss();
                values[i] = value;
                // The outputs are rounded to float (about 1e-6 of the sum over 2 * step), and the curvature adds step^2 times the third
                // derivative.
                ASSERT_NEAR((above - below) / (2 * step), gradient[i], 5e-4) << name << "[" << i << "]";
            }
        };
        check("query", test.query, results.query_gradient);
        check("key", test.key, results.key_gradient);
        check("value", test.value, results.value_gradient);
    }
}

TEST_P(CausalAttention, GivesTheSameBitsWhateverTheThreads) {
    for (const Sizes &sizes : {Sizes{1, 130, 6, 2, 16, true}, Sizes{4, 130, 6, 2, 16, true}}) {
        const Case test(sizes);
        ASSERT_EQ(HF_OK, hf_set_thread_count(1));
        const Results expected = test.run(GetParam());
        for (int64_t threads : {2, 3, 8}) {
            ASSERT_EQ(HF_OK, hf_set_thread_count(threads));
            EXPECT_TRUE(test.run(GetParam()) == expected) << threads << " threads";
        }
        BackwardExecutor executor;
        EXPECT_TRUE(test.run(GetParam(), executor.get()) == expected);
        EXPECT_GE(executor.tasks(), 6);
    }
}

/// What comes later in a sequence, numbers or not, and other sequences change nothing.
TEST_P(CausalAttention, SeesNothingAhead) {
    const Sizes sizes{2, 120, 2, 1, 8, true};
    Case test(sizes);
    const Results before = test.run(GetParam());
    Case changed(sizes);
    for (size_t i = 100 * 8; i < 120 * 8; ++i) {  // the last 20 positions of the first sequence
        changed.key[i] *= -7;
        changed.value[i] += 9;
    }
    const Results after = changed.run(GetParam());
    const size_t row = 2 * 8;
    EXPECT_EQ(0, std::memcmp(before.output.data(), after.output.data(), 100 * row * sizeof(float)));
    EXPECT_NE(before.output[100 * row], after.output[100 * row]);
    EXPECT_EQ(0, std::memcmp(&before.output[120 * row], &after.output[120 * row], 120 * row * sizeof(float)));
}

/// Scores of some hundreds: their exponentials overflow unless the largest is taken off, and grow from block to block.
TEST_P(CausalAttention, BearsLargeScores) {
    Case test({1, 400, 1, 1, 2, false});
    for (size_t i = 0; i < test.query.size(); ++i) {
        test.query[i] = 1;
        test.key[i] = static_cast<float>(i);
    }
    const Results expected = test.run(REFERENCE);
    const Results found = test.run(GetParam());
    expect_near("log_sum_exp", expected.log_sum_exp, found.log_sum_exp, 1e-3);  // about 1100, whose last place is 1e-4
    expect_near("output", expected.output, found.output, 1e-3);                 // scores are exact to 1e-4, so weights are to 2e-4
}

/// With tasks per key and value head, and per query head.
TEST_P(CausalAttention, MayOverwriteWhatItReads) {
    for (int64_t batch : {1, 4}) {
        const Case test({batch, 130, 6, 2, 16, true});
        for (const Implementation &implementation : {REFERENCE, GetParam()}) {
            const Results expected = test.run(implementation);
            const Capped cap(implementation);
            Results found = expected;
            Case taken = test;
            hf_causal_attention_inputs inputs = taken.inputs();
            float *gradient = taken.output_gradient.data(), *key = taken.key.data(), *value = taken.value.data();
            ASSERT_EQ(HF_OK, hf_causal_attention_gradient(implementation.backend, &taken.options, &inputs, found.output.data(),
                                                          found.log_sum_exp.data(), gradient, gradient, key, value, nullptr));
            EXPECT_EQ(expected.query_gradient, taken.output_gradient);
            EXPECT_EQ(expected.key_gradient, taken.key);
            EXPECT_EQ(expected.value_gradient, taken.value);
            taken = test;
            inputs = taken.inputs();
            ASSERT_EQ(HF_OK, hf_causal_attention(implementation.backend, &taken.options, &inputs, taken.query.data(),
                                                 found.log_sum_exp.data(), nullptr));
            EXPECT_EQ(expected.output, taken.query);
        }
    }
}

TEST_P(CausalAttention, OfNothingIsNothing) {
    EXPECT_TRUE(Case({0, 5, 2, 1, 4, false}).run(GetParam()).output.empty());
    EXPECT_TRUE(Case({2, 0, 2, 1, 4, false}).run(GetParam()).output.empty());
}

void expect_refused(const Case &test, const std::string &message) {
    Results results = test.blank();
    EXPECT_EQ(HF_INVALID_ARGUMENT, test.forward(HF_BACKEND_CPU, results));
    EXPECT_EQ(message, hf_last_error());
    EXPECT_EQ(HF_INVALID_ARGUMENT, test.backward(HF_BACKEND_CPU, results));
    EXPECT_EQ(message, hf_last_error());
    EXPECT_TRUE(std::isnan(results.output[0]) && std::isnan(results.query_gradient[0]));
}

TEST(CausalAttentionArguments, RefusesSizesThatDoNotFitAndNamesThem) {
    const Sizes sizes{1, 3, 4, 2, 4, true};
    Case test(sizes);
    test.options.key_value_head_count = 3;
    expect_refused(test, "options.head_count: expected a multiple of key_value_head_count (3), got 4");
    test.options.key_value_head_count = 0;
    expect_refused(test, "options.key_value_head_count: expected >= 1, got 0");
    test = Case(sizes);
    test.options.sequence_length = -1;
    expect_refused(test, "options.sequence_length: expected >= 0, got -1");
    test = Case(sizes);
    test.options.head_size = 3;
    expect_refused(test, "options.head_size: expected an even number with rotary positions, got 3");
    test = Case(sizes);
    test.options.sequence_length = INT64_MAX / 1000;
    expect_refused(test, "options: expected tensors of fewer than 2^57 bytes, got more");
    test = Case(sizes);
    test.options.scale = NAN;
    expect_refused(test, "options.scale: expected a finite number, got nan");
    test = Case(sizes);
    test.options.struct_size = 8;
    expect_refused(test, "options.struct_size: expected 56, got 8");
}

TEST(CausalAttentionArguments, RefusesMissingTensorsAndNamesThem) {
    const Case test({1, 3, 4, 2, 4, true});
    Results results = test.blank();
    hf_causal_attention_inputs inputs = test.inputs();
    inputs.sines = nullptr;
    EXPECT_EQ(HF_INVALID_ARGUMENT,
              hf_causal_attention(HF_BACKEND_CPU, &test.options, &inputs, results.output.data(), results.log_sum_exp.data(), nullptr));
    EXPECT_STREQ("inputs.sines: expected a pointer, got NULL", hf_last_error());
    inputs = test.inputs();
    EXPECT_EQ(HF_INVALID_ARGUMENT, hf_causal_attention(HF_BACKEND_CPU, &test.options, &inputs, nullptr, nullptr, nullptr));
    EXPECT_STREQ("output: expected a pointer, got NULL", hf_last_error());
    EXPECT_EQ(HF_UNSUPPORTED, test.forward(HF_BACKEND_CUDA, results));
}

}  // namespace
