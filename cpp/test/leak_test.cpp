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

/// On the emulated device a call takes milliseconds.
int calls(const Implementation &implementation) { return implementation.backend == HF_BACKEND_CUDA ? 1000 : 10000; }

/// The smallest block is one of 32 bytes. A quarter of one per call is above what the heap keeps for late threads.
int64_t tolerated_bytes(int calls) { return calls * 32 / 4; }

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

INSTANTIATE_TEST_SUITE_P(Every, Leaks, testing::ValuesIn(with_cuda(all_implementations())), name_of);

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
    const int count = calls(GetParam());
    for (int i = 0; i < count / 100; ++i) {
        call_both();
    }
    const int64_t before = heap_bytes();
    for (int i = 0; i < count; ++i) {
        call_both();
    }
    EXPECT_LT(heap_bytes() - before, tolerated_bytes(count));
}

}  // namespace
