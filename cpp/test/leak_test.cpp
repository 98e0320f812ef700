// What stays behind after many calls: nothing. The heap is asked itself, so whatever allocates is seen, threads and tables included.
#include <malloc.h>

#include "support.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool HEAP_IS_SANITIZED = true;  // which keeps freed memory back, and finds leaks itself
#else
constexpr bool HEAP_IS_SANITIZED = false;
#endif

namespace {

using namespace holdfast::testing;

constexpr int CALLS = 10000;

/// Between what a leak of the smallest block (32 bytes) would come to over all calls and what the heap keeps for threads that woke up late.
constexpr int64_t TOLERATED_BYTES = CALLS * 32 / 4;

int64_t heap_bytes() { return static_cast<int64_t>(mallinfo2().uordblks + mallinfo2().hblkhd); }

/// A few tokens, and memory for all results.
struct Call {
    static constexpr int64_t TOKENS = 3, WIDTH = 40;

    std::mt19937 random{1};
    Floats student = random_floats(random, TOKENS *WIDTH), snapshot = random_floats(random, TOKENS *WIDTH);
    Floats gradient = Floats(TOKENS * WIDTH), token_loss = Floats(TOKENS), statistics = Floats(TOKENS * HF_STATISTICS_COUNT);
    Floats weights{1, 1, 0}, alphas{0, 0.5f, 1};
    std::vector<int64_t> labels{0, HF_IGNORE_INDEX, 39};
    hf_anchor_loss_options options{sizeof options, HF_JSD, HF_INTERPOLATION_PROBABILITY, HF_LABEL_WEIGHTING_DFT, 1, 1, 1, 0.5f};

    hf_status run(int32_t backend) {
        const hf_logits s{sizeof s, student.data(), WIDTH, WIDTH, HF_FLOAT}, c{sizeof c, snapshot.data(), WIDTH, WIDTH, HF_FLOAT};
        const hf_anchor_loss_tokens tokens{sizeof tokens, labels.data(), weights.data(), alphas.data()};
        const hf_anchor_loss_outputs outputs{sizeof outputs, token_loss.data(), statistics.data(),    gradient.data(),
                                             WIDTH,          HF_FLOAT,          HF_GRADIENT_OVERWRITE};
        const hf_status status =
            hf_anchor_loss(backend, TOKENS, &options, &s, nullptr, &c, &tokens, &outputs, nullptr, 0, nullptr, nullptr);
        float sum = 0;
        return status != HF_OK ? status : hf_anchor_loss_sum(backend, TOKENS, &tokens, token_loss.data(), &sum, nullptr);
    }
};

class Leaks : public EveryImplementation {};

INSTANTIATE_TEST_SUITE_P(Every, Leaks, testing::ValuesIn(all_implementations()), name_of);

TEST_P(Leaks, DoNotCome) {
    if (HEAP_IS_SANITIZED) {
        GTEST_SKIP() << "a sanitizer owns the heap";
    }
    const Capped cap(GetParam());
    Call good, refused;
    refused.options.temperature = -1;
    const auto call_both = [&] {
        ASSERT_EQ(HF_OK, good.run(GetParam().backend)) << hf_last_error();
        ASSERT_EQ(HF_INVALID_ARGUMENT, refused.run(GetParam().backend));
    };
    for (int i = 0; i < CALLS / 100; ++i) {
        call_both();
    }
    const int64_t before = heap_bytes();
    for (int i = 0; i < CALLS; ++i) {
        call_both();
    }
    EXPECT_LT(heap_bytes() - before, TOLERATED_BYTES);
}

}  // namespace
