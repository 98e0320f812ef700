#include "core/executor.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace {

TEST(Executor, RunsEveryIndexOnceWhateverTheThreadCount) {
    for (int64_t threads : {1, 2, 5}) {
        ASSERT_EQ(HF_OK, hf_set_thread_count(threads));
        for (int64_t count : {0, 1, 2, 3, 1000}) {
            std::vector<std::atomic<int>> seen(static_cast<size_t>(count));
            holdfast::parallel_for(nullptr, count, [&](int64_t index) { ++seen[static_cast<size_t>(index)]; });
            for (const auto &times : seen) {
                ASSERT_EQ(1, times);
            }
        }
    }
}

TEST(Executor, ServesSeveralCallersAtOnce) {
    ASSERT_EQ(HF_OK, hf_set_thread_count(3));
    std::vector<std::thread> callers;
    std::atomic<int64_t> total{0};
    for (int caller = 0; caller < 4; ++caller) {
        callers.emplace_back([&] {
            for (int round = 0; round < 200; ++round) {
                holdfast::parallel_for(nullptr, 7, [&](int64_t index) { total += index; });
            }
        });
    }
    for (std::thread &caller : callers) {
        caller.join();
    }
    EXPECT_EQ(4 * 200 * 21, total);
}

TEST(Executor, CutsRangesWithoutGapOrOverlap) {
    for (int64_t count : {1, 7, 64, 1000}) {
        std::vector<std::atomic<int>> seen(static_cast<size_t>(count));
        holdfast::parallel_ranges(nullptr, count, 3, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) {
                ++seen[static_cast<size_t>(i)];
            }
        });
        for (const auto &times : seen) {
            ASSERT_EQ(1, times);
        }
    }
}

TEST(Executor, RefusesThreadCountsOutOfRange) {
    EXPECT_EQ(HF_INVALID_ARGUMENT, hf_set_thread_count(0));
    EXPECT_STREQ("thread_count: expected [1, 1024], got 0", hf_last_error());
}

}  // namespace
