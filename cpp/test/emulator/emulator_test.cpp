// The emulator itself: right kernels give right results in any order, and each fault that it promises to find is found.
#include "emulator/emulator.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <ostream>
#include <string>
#include <vector>

#include "emulator/kernels.hpp"
#include "emulator/sanitizer.hpp"
#include "simd/element.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::testing;
using namespace holdfast::device;
using emulator::Access;
using emulator::Completion;
using emulator::FINDS_RACES;
using emulator::Order;
using emulator::Schedule;

const std::vector<Schedule> SCHEDULES = {{Order::FORWARD, Completion::LATE, 1},      {Order::REVERSE, Completion::LATE, 1},
                                         {Order::FORWARD, Completion::EARLY, 1},     {Order::REVERSE, Completion::EARLY, 1},
                                         {Order::SHUFFLED, Completion::SHUFFLED, 1}, {Order::SHUFFLED, Completion::SHUFFLED, 2},
                                         {Order::SHUFFLED, Completion::SHUFFLED, 3}, {Order::SHUFFLED, Completion::LATE, 4}};

/// Sets a schedule and a device while it lives.
class Emulated {
public:
    explicit Emulated(const Schedule &schedule = {}) : schedule_(emulator::set_schedule(schedule)) {}
    ~Emulated() { emulator::set_schedule(schedule_); }
    Emulated(const Emulated &) = delete;
    Emulated &operator=(const Emulated &) = delete;

private:
    const Schedule schedule_;
};

template <typename... Parameters, typename... Arguments>
std::string failure_of(void (*kernel)(Parameters...), const LaunchShape &shape, Arguments... arguments) {
    const Outcome outcome = launch(kernel, shape, nullptr, arguments...);
    EXPECT_EQ(*outcome.message == '\0', outcome.status == HF_OK) << outcome.message;
    return outcome.message;
}

/// Small whole numbers, so that sums are the same in any order.
std::vector<float> numbers(int64_t count) {
    std::vector<float> values(static_cast<size_t>(count));
    for (size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<float>(i % 7);
    }
    return values;
}

double sum_of(const std::vector<float> &values, int64_t first, int64_t count) {
    return std::accumulate(values.begin() + first, values.begin() + first + count, 0.0);
}

// What a kernel with a fault makes of one schedule: "" if the results are right, else a message.

constexpr int64_t ROW = 1000;  // no multiple of a block
constexpr int CHUNKS = 5;      // each of the two stages is used twice at least

template <Fault fault>
std::string wrongness_of_sum_rows() {
    const std::vector<float> values = numbers(3 * ROW);
    std::vector<double> sums(3, -1);
    std::string failure = failure_of(sum_rows<fault>, {3, 96, 1, sizeof(SumShared)}, values.data(), ROW, sums.data());
    for (int64_t row = 0; row < 3; ++row) {
        failure += sums[row] == sum_of(values, row * ROW, ROW) ? "" : " wrong sum";
    }
    return failure;
}

template <Fault fault>
std::string wrongness_of_sum_rows_by_cluster() {
    const std::vector<float> values = numbers(2 * ROW);
    std::vector<double> sums(2, -1);
    std::string failure = failure_of(sum_rows_by_cluster<fault>, {8, 64, 4, sizeof(SumShared)}, values.data(), ROW, sums.data());
    for (int64_t cluster = 0; cluster < 2; ++cluster) {
        failure += sums[cluster] == sum_of(values, cluster * ROW, ROW) ? "" : " wrong sum";
    }
    return failure;
}

template <typename Unit, Fault fault>
std::string wrongness_of_mirror_chunks() {
    constexpr int BLOCKS = 2, THREADS = 40, PARTS = sizeof(Unit) / sizeof(float);
    const std::vector<float> values = numbers(int64_t{BLOCKS} * CHUNKS * THREADS * PARTS);
    std::vector<Unit> units(values.size() / PARTS), mirrored(units.size());
    std::memcpy(static_cast<void *>(units.data()), values.data(), values.size() * sizeof(float));
    std::string failure = failure_of(mirror_chunks<Unit, fault>, {BLOCKS, THREADS, 1, 2 * THREADS * sizeof(Unit)},
                                     static_cast<const Unit *>(units.data()), mirrored.data(), CHUNKS);
    for (size_t i = 0; i < units.size(); ++i) {
        const size_t mirror = i / THREADS * THREADS + THREADS - 1 - i % THREADS;
        failure += std::memcmp(&units[mirror], &mirrored[i], sizeof(Unit)) == 0 ? "" : " wrong unit";
    }
    return failure;
}

template <Fault fault>
std::string wrongness_of_double_chunks() {
    constexpr int BLOCKS = 2, THREADS = 36;
    std::vector<float> values = numbers(int64_t{BLOCKS} * CHUNKS * THREADS);
    const std::vector<float> before = values;
    std::string failure =
        failure_of(double_chunks<fault>, {BLOCKS, THREADS, 1, sizeof(RingShared) + 2 * THREADS * sizeof(float)}, values.data(), CHUNKS);
    for (size_t i = 0; i < values.size(); ++i) {
        failure += values[i] == 2 * before[i] ? "" : " wrong value";
    }
    return failure;
}

template <Fault fault>
std::string wrongness_of_rotate_lanes() {
    constexpr int THREADS = 64;
    std::vector<uint16_t> values(THREADS), rotated(THREADS);
    std::iota(values.begin(), values.end(), uint16_t{100});
    std::string failure = failure_of(rotate_lanes<fault>, {1, THREADS, 1, THREADS * sizeof(uint16_t)},
                                     static_cast<const uint16_t *>(values.data()), rotated.data());
    for (int i = 0; i < THREADS; ++i) {
        failure += rotated[i] == 100 + i / WARP_SIZE * WARP_SIZE + (i + 1) % WARP_SIZE ? "" : " wrong value";
    }
    return failure;
}

using Wrongness = std::string (*)();

struct Case {
    const char *name;
    const char *kernel;  // as a report of a race names it
    Wrongness run;
};

void PrintTo(const Case &tested, std::ostream *out) { *out << tested.name; }

std::string name_of(const ::testing::TestParamInfo<Case> &info) { return info.param.name; }

// ----------------------------------------------------------------------------------------------------------------- right kernels

class RightKernel : public ::testing::TestWithParam<Case> {};

TEST_P(RightKernel, IsRightInAnyOrder) {
    for (const Schedule &schedule : SCHEDULES) {
        const Emulated emulated(schedule);
        EXPECT_EQ("", GetParam().run()) << "order " << static_cast<int>(schedule.order) << ", copies " << static_cast<int>(schedule.copies)
                                        << ", seed " << schedule.seed;
    }
}

INSTANTIATE_TEST_SUITE_P(Emulator, RightKernel,
                         ::testing::Values(Case{"block_sum", "", wrongness_of_sum_rows<Fault::NONE>},
                                           Case{"cluster_sum", "", wrongness_of_sum_rows_by_cluster<Fault::NONE>},
                                           Case{"asynchronous_copies_of_4", "", wrongness_of_mirror_chunks<float, Fault::NONE>},
                                           Case{"asynchronous_copies_of_8", "", wrongness_of_mirror_chunks<double, Fault::NONE>},
                                           Case{"asynchronous_copies_of_16", "", wrongness_of_mirror_chunks<Bytes16, Fault::NONE>},
                                           Case{"bulk_copies", "", wrongness_of_double_chunks<Fault::NONE>},
                                           Case{"warp_barrier", "", wrongness_of_rotate_lanes<Fault::NONE>}),
                         name_of);

TEST(Emulator, VotesAndShufflesWithinAMask) {
    const Emulated emulated;
    constexpr int THREADS = 64;
    std::vector<uint32_t> votes(THREADS), sums(THREADS);
    EXPECT_EQ("", failure_of(vote_by_halves, {1, THREADS}, votes.data(), sums.data()));
    for (int i = 0; i < THREADS; ++i) {
        const bool low = i % WARP_SIZE < WARP_SIZE / 2;
        EXPECT_EQ(low ? 0x5555u : 0x55550000u, votes[i]);
        EXPECT_EQ(low ? 120u : 376u, sums[i]) << "0 + … + 15 and 16 + … + 31";
    }
}

TEST(Emulator, AddsAtomically) {
    const Emulated emulated;
    constexpr int BLOCKS = 4, THREADS = 64;
    std::vector<uint8_t> values(BLOCKS * THREADS);
    std::iota(values.begin(), values.end(), uint8_t{0});
    std::vector<uint32_t> counts(256);
    float total = 0;
    EXPECT_EQ("", failure_of(count_values, {BLOCKS, THREADS}, static_cast<const uint8_t *>(values.data()), counts.data(), &total));
    EXPECT_EQ(std::vector<uint32_t>(256, 1), counts);
    EXPECT_EQ(255 * 128, total);
}

TEST(Emulator, ComputesLikeTheHost) {
    const Emulated emulated;
    const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    const std::vector<Float2> inputs = {{1.5f, 2}, {-inf, inf}, {70000, 1e-8f}, {nan, 1}, {1, nan}};
    std::vector<Arithmetic> results(inputs.size());
    EXPECT_EQ("", failure_of(compute, {1, static_cast<int>(inputs.size())}, inputs.data(), results.data()));
    EXPECT_FLOAT_EQ(std::exp2(1.5f), results[0].exp2);
    EXPECT_EQ(1, results[0].log2);
    EXPECT_EQ(2, results[0].max);
    EXPECT_EQ(1.5f, results[0].min);
    EXPECT_EQ(0x40003fc0u, results[0].bfloat16) << "the first is the low half";
    EXPECT_EQ(0x40004000u, results[0].max_bfloat16);
    EXPECT_EQ(0x3fc03fc0u, results[0].min_bfloat16);
    EXPECT_EQ(0x40003e00u, results[0].float16);
    EXPECT_EQ(0x40004000u, results[0].max_float16);
    EXPECT_EQ(0x3e003e00u, results[0].min_float16);
    EXPECT_EQ(1.5f, results[0].from_bfloat16.x);
    EXPECT_EQ(2, results[0].from_float16.y);
    EXPECT_EQ(0, results[1].exp2);
    EXPECT_EQ(inf, results[2].from_float16.x) << "beyond the largest float16";
    for (size_t i : {3, 4}) {
        EXPECT_TRUE(std::isnan(results[i].max) && std::isnan(results[i].min));
        EXPECT_TRUE(std::isnan(bfloat_to_float(static_cast<uint16_t>(results[i].max_bfloat16))));
        EXPECT_TRUE(std::isnan(half_to_float(static_cast<uint16_t>(results[i].min_float16))));
    }
}

TEST(Emulator, CountsBytesByKindAndWidth) {
    const Emulated emulated;
    emulator::reset_traffic();
    EXPECT_EQ("", wrongness_of_sum_rows<Fault::NONE>());
    EXPECT_EQ("", wrongness_of_double_chunks<Fault::NONE>());
    EXPECT_EQ("", (wrongness_of_mirror_chunks<Bytes16, Fault::NONE>()));
    const emulator::Traffic traffic = emulator::traffic();
    const std::map<std::pair<Access, int64_t>, int64_t> expected = {
        {{Access::STREAMING_LOAD, 4}, 3 * ROW},  {{Access::CACHED_STORE, 8}, 3},          {{Access::BULK_LOAD, 144}, 2 * CHUNKS},
        {{Access::BULK_STORE, 144}, 2 * CHUNKS}, {{Access::ASYNC_COPY, 16}, 80 * CHUNKS}, {{Access::STREAMING_STORE, 16}, 80 * CHUNKS}};
    EXPECT_EQ(expected, traffic.accesses);
    EXPECT_EQ(12 * ROW + (288 + 1280) * CHUNKS, traffic.bytes_read());
    EXPECT_EQ(24 + (288 + 1280) * CHUNKS, traffic.bytes_written());
    emulator::reset_traffic();
    EXPECT_EQ(0, emulator::traffic().bytes_read());
}

TEST(Emulator, PoisonsSharedMemory) {
    const Emulated emulated;
    float seen = 0;
    EXPECT_EQ("", failure_of(
                      +[](float *to) { store_cached(to, *reinterpret_cast<float *>(shared_memory())); }, {1, 1, 1, 4}, &seen));
    EXPECT_TRUE(std::isnan(seen));
}

TEST(Emulator, RunsBlocksAndThreadsInTheOrderAsked) {
    const auto kernel =
        +[](int *next, int *turns) { store_cached(turns + block_index() * block_size() + thread_index(), atomic_add(next, 1)); };
    const auto turns_of = [&](Order order, uint64_t seed) {
        const Emulated emulated({order, Completion::LATE, seed});
        int next = 0;
        std::vector<int> turns(6);
        EXPECT_EQ("", failure_of(kernel, {2, 3}, &next, turns.data()));
        return turns;
    };
    EXPECT_EQ((std::vector<int>{0, 1, 2, 3, 4, 5}), turns_of(Order::FORWARD, 1));
    EXPECT_EQ((std::vector<int>{5, 4, 3, 2, 1, 0}), turns_of(Order::REVERSE, 1));
    EXPECT_EQ(turns_of(Order::SHUFFLED, 1), turns_of(Order::SHUFFLED, 1));
    EXPECT_NE(turns_of(Order::SHUFFLED, 1), turns_of(Order::SHUFFLED, 2));
}

TEST(Emulator, AnswersForTheDeviceThatWasSet) {
    const DeviceProperties hopper = emulator::set_device({80, 108, 163 << 10, 164 << 10});
    DeviceProperties properties;
    EXPECT_EQ(HF_OK, query(&properties).status);
    EXPECT_EQ(80, properties.architecture);
    EXPECT_EQ(163 << 10, properties.shared_bytes_per_block);
    const auto nothing = +[] {};
    EXPECT_EQ("launch: cluster: expected [1, 1], got 2", failure_of(nothing, {2, 1, 2}));
    EXPECT_EQ("launch: shared_bytes: expected at most 166912, got 166913", failure_of(nothing, {1, 1, 1, 166913}));
    const std::string failure = wrongness_of_double_chunks<Fault::NONE>();
    EXPECT_NE(std::string::npos, failure.find("expected a device of compute capability 9.0, got 8.0")) << failure;
    emulator::set_device(hopper);
    EXPECT_EQ("launch: blocks: expected a multiple of 2 in [1, 2147483647], got 3", failure_of(nothing, {3, 1, 2}));
    EXPECT_EQ("launch: threads: expected [1, 1024], got 1025", failure_of(nothing, {1, 1025}));
}

// ---------------------------------------------------------------------------------------------- faults that a schedule or TSan finds

class FaultyKernel : public ::testing::TestWithParam<Case> {};

/// ThreadSanitizer tells of the race in whatever order the threads ran and however early copies were made; without it, some order gives a
/// wrong result.
TEST_P(FaultyKernel, IsFound) {
    if (FINDS_RACES) {
        ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
        constexpr int RACE_REPORTED = 66;
        const auto run = [] {
            const Emulated emulated({Order::SHUFFLED, Completion::EARLY, 1});
            GetParam().run();
            std::exit(0);
        };
        EXPECT_EXIT(run(), ::testing::ExitedWithCode(RACE_REPORTED), std::string("data race.*") + GetParam().kernel);
        return;
    }
    bool found = false;
    for (const Schedule &schedule : SCHEDULES) {
        const Emulated emulated(schedule);
        found = found || !GetParam().run().empty();
    }
    EXPECT_TRUE(found);
}

INSTANTIATE_TEST_SUITE_P(
    Emulator, FaultyKernel,
    ::testing::Values(
        Case{"missing_block_barrier", "block_sum", wrongness_of_sum_rows<Fault::MISSING_BARRIER>},
        Case{"missing_warp_barrier", "rotate_lanes", wrongness_of_rotate_lanes<Fault::MISSING_BARRIER>},
        Case{"missing_cluster_barrier", "sum_rows_by_cluster", wrongness_of_sum_rows_by_cluster<Fault::MISSING_BARRIER>},
        Case{"missing_wait_for_asynchronous_copies", "mirror_chunks", wrongness_of_mirror_chunks<float, Fault::MISSING_WAIT>},
        Case{"missing_barrier_after_asynchronous_copies", "mirror_chunks", wrongness_of_mirror_chunks<float, Fault::MISSING_BARRIER>},
        Case{"missing_barrier_before_asynchronous_copies", "mirror_chunks", wrongness_of_mirror_chunks<float, Fault::MISSING_RELEASE>},
        Case{"missing_wait_for_bulk_loads", "double_chunks", wrongness_of_double_chunks<Fault::MISSING_WAIT>},
        Case{"missing_barrier_before_bulk_stores", "double_chunks", wrongness_of_double_chunks<Fault::MISSING_BARRIER>},
        Case{"missing_wait_for_bulk_stores", "double_chunks", wrongness_of_double_chunks<Fault::MISSING_RELEASE>}),
    name_of);

// ----------------------------------------------------------------------------------------------- faults that every schedule finds

/// Expects that the kernel's failure has the text, in every schedule.
template <typename... Parameters, typename... Arguments>
void expect_failure(const std::string &expected, void (*kernel)(Parameters...), const LaunchShape &shape, Arguments... arguments) {
    for (const Schedule &schedule : SCHEDULES) {
        const Emulated emulated(schedule);
        const std::string failure = failure_of(kernel, shape, arguments...);
        EXPECT_NE(std::string::npos, failure.find(expected)) << failure;
    }
}

void expect_failure(const std::string &expected, Wrongness run) {
    for (const Schedule &schedule : SCHEDULES) {
        const Emulated emulated(schedule);
        const std::string failure = run();
        EXPECT_NE(std::string::npos, failure.find(expected)) << failure;
    }
}

TEST(EmulatorFinds, DivergentBarriers) {
    const auto kernel = +[] {
        if (thread_index() < 8) {
            sync_block();
        } else {
            sync_block();
        }
    };
    expect_failure("expected every thread in the same call, got another one in sync_block (emulator_test.cpp:", kernel, {1, 16});
}

TEST(EmulatorFinds, ThreadsThatMissABarrier) {
    const auto kernel = +[] {
        if (thread_index() != 3) {
            sync_block();
        }
    };
    for (Order order : {Order::FORWARD, Order::REVERSE}) {
        const Emulated emulated({order, Completion::LATE, 1});
        EXPECT_EQ(
            "block 0, thread 3: end of the kernel: expected every thread of the block at its barrier, got one that leaves while others "
            "wait there",
            failure_of(kernel, {1, 16}));
    }
    const auto last_goes_first = +[] {
        if (thread_index() != 15) {
            sync_block();
        }
    };
    const Emulated emulated({Order::REVERSE, Completion::LATE, 1});
    const std::string failure = failure_of(last_goes_first, {1, 16});
    EXPECT_NE(std::string::npos, failure.find("expected every thread of the block at its barrier, got 1 that have ended")) << failure;
}

TEST(EmulatorFinds, BlocksThatMissAClusterBarrier) {
    const auto kernel = +[] {
        if (cluster_rank() == 0) {
            sync_cluster();
        }
    };
    expect_failure("expected every thread of the cluster at its barrier", kernel, {2, 8, 2});
    expect_failure("end of the kernel: expected every thread of the cluster at its barrier", +[] { arrive_cluster(); }, {2, 8, 2});
    expect_failure("expected wait_cluster after the arrival before, got a second arrival", +[] { arrive_cluster(), arrive_cluster(); },
                   {2, 8, 2});
    expect_failure("expected arrive_cluster before, got none", +[] { wait_cluster(); }, {2, 8, 2});
}

TEST(EmulatorFinds, BlocksThatEndWhileTheirSharedMemoryIsRead) {
    const Emulated emulated({Order::REVERSE, Completion::LATE, 1});
    const std::string failure = wrongness_of_sum_rows_by_cluster<Fault::EARLY_EXIT>();
    EXPECT_NE(std::string::npos, failure.find("peer_shared (kernels.hpp:")) << failure;
    EXPECT_NE(std::string::npos, failure.find("expected a block that runs, got block 5, which has ended")) << failure;
}

TEST(EmulatorFinds, AddressesOutsideOfSharedMemory) {
    expect_failure("expected 4 bytes in the block's shared memory of 64, got offset 64",
                   +[] { peer_shared(reinterpret_cast<float *>(shared_memory() + 64), 0); }, {2, 1, 2, 64});
    expect_failure("expected a rank in [0, 1], got 2", +[] { peer_shared(shared_memory(), 2); }, {2, 1, 2, 64});
    expect_failure(
        "expected 16 bytes in the block's shared memory of 60, got offset 48",
        +[](const Bytes16 *source) { async_copy<16>(shared_memory() + 48, source); }, {1, 1, 1, 60}, static_cast<const Bytes16 *>(nullptr));
}

TEST(EmulatorFinds, WrongMasks) {
    expect_failure("sync_warp (emulator_test.cpp:", +[] { sync_warp(1); }, {1, 2});
    expect_failure("expected a mask that has the caller's lane, got 0x1", +[] { sync_warp(1); }, {1, 2});
    expect_failure("expected a mask of running lanes, 0xffff, got 0xffffffff", +[] { sync_warp(); }, {1, 16});
    expect_failure("expected the mask of the lanes that wait, 0x", +[] { sync_warp(thread_index() == 0 ? 3 : 7); }, {1, 3});
    expect_failure("expected a lane of the mask 0xf, got lane 4", +[] { shuffle(1, 4, 0xf); }, {1, 4});
    expect_failure("expected a lane of the mask 0xffff, got lane ", +[] { shuffle_xor(1.0, 16, 0xffff); }, {1, 16});
}

TEST(EmulatorFinds, LanesInDifferentCalls) {
    const auto kernel = +[] {
        if (thread_index() == 0) {
            vote(true, 3);
        } else {
            shuffle(1, 0, 3);
        }
    };
    expect_failure("expected every thread in the same call", kernel, {1, 2});
}

TEST(EmulatorFinds, Deadlocks) {
    const auto kernel = +[] {
        if (thread_index() < 2) {
            sync_warp(0xf);
        } else {
            sync_block();
        }
    };
    expect_failure("deadlock: expected a thread that can run, got 2 in sync_block (emulator_test.cpp:", kernel, {1, 4});
    expect_failure("first block 0, thread 0;", kernel, {1, 4});
}

TEST(EmulatorFinds, WrongByteCounts) {
    expect_failure("to a transaction barrier of block ", wrongness_of_double_chunks<Fault::TOO_MANY_BYTES>);
    expect_failure("0 of 1 arrivals and 16 bytes are missing", wrongness_of_double_chunks<Fault::TOO_MANY_BYTES>);
    expect_failure("0 of 1 arrivals and -16 bytes are missing", wrongness_of_double_chunks<Fault::TOO_FEW_BYTES>);
    const auto expects_once_more = +[] {
        auto *barrier = reinterpret_cast<TransactionBarrier *>(shared_memory());
        barrier_init(barrier, 1);
        barrier_expect(barrier, 16);
    };
    expect_failure("expected every transaction count at 0, got 16 bytes of a barrier expected", expects_once_more, {1, 1, 1, 64});
}

TEST(EmulatorFinds, CopiesUnderWayAtTheEnd) {
    static const Bytes16 source{};
    expect_failure(
        "expected every copy waited for, got async_copy (emulator_test.cpp:",
        +[](const Bytes16 *from) { async_copy<4>(shared_memory(), from); }, {1, 1, 1, 64}, &source);
    static Bytes16 target;
    const auto store = +[](Bytes16 *to) {
        bulk_store(to, shared_memory(), 16);
        bulk_commit();
    };
    expect_failure("expected every copy waited for, got bulk_store (emulator_test.cpp:", store, {1, 1, 1, 64}, &target);
    const auto load = +[](const Bytes16 *from) {
        auto *barrier = reinterpret_cast<TransactionBarrier *>(shared_memory());
        barrier_init(barrier, 1);
        barrier_expect(barrier, 16);
        bulk_load(shared_memory() + 16, from, 16, barrier);
    };
    const Emulated emulated({Order::FORWARD, Completion::LATE, 1});
    const std::string failure = failure_of(load, {1, 1, 1, 64}, &source);
    EXPECT_NE(std::string::npos, failure.find("expected every copy complete, got bulk_load (emulator_test.cpp:")) << failure;
}

TEST(EmulatorFinds, UnalignedAccesses) {
    static const Bytes16 memory[4] = {};
    const auto *bytes = reinterpret_cast<const unsigned char *>(memory);
    expect_failure(
        "load_cached (emulator_test.cpp:", +[](const unsigned char *from) { load_cached(reinterpret_cast<const float *>(from + 2)); },
        {1, 1}, bytes);
    expect_failure(
        "expected an address that is a multiple of 8", +[](const unsigned char *from) { async_copy<8>(shared_memory(), from + 4); },
        {1, 1, 1, 64}, bytes);
    const auto bulk = [](int target, int source, int size) {
        static int shifts[3];
        shifts[0] = target, shifts[1] = source, shifts[2] = size;
        return static_cast<const int *>(shifts);
    };
    const auto load = +[](const unsigned char *from, const int *shifts) {
        auto *barrier = reinterpret_cast<TransactionBarrier *>(shared_memory());
        barrier_init(barrier, 1);
        bulk_load(shared_memory() + 16 + shifts[0], from + shifts[1], shifts[2], barrier);
    };
    expect_failure("expected an address that is a multiple of 16", load, {1, 1, 1, 64}, bytes, bulk(8, 0, 16));
    expect_failure("expected an address that is a multiple of 16", load, {1, 1, 1, 64}, bytes, bulk(0, 8, 16));
    expect_failure("expected a positive multiple of 16 bytes, got 8", load, {1, 1, 1, 64}, bytes, bulk(0, 0, 8));
    expect_failure("expected 64 bytes in the block's shared memory of 64, got offset 16", load, {1, 1, 1, 64}, bytes, bulk(0, 0, 64));
}

TEST(EmulatorFinds, BarriersUsedWrongly) {
    expect_failure("expected a barrier of the block that barrier_init has made",
                   +[] { barrier_wait(reinterpret_cast<TransactionBarrier *>(shared_memory()), 0); }, {1, 1, 1, 64});
    const auto twice = +[] {
        auto *barrier = reinterpret_cast<TransactionBarrier *>(shared_memory());
        barrier_init(barrier, 1);
        barrier_init(barrier, 1);
    };
    expect_failure("expected memory that is no barrier yet, got a barrier", twice, {1, 1, 1, 64});
    const auto lonely = +[] {
        auto *barrier = reinterpret_cast<TransactionBarrier *>(shared_memory());
        barrier_init(barrier, 2);
        barrier_arrive(barrier);
        barrier_wait(barrier, 0);
    };
    expect_failure("1 of 2 arrivals and 0 bytes are missing", lonely, {1, 1, 1, 64});
}

int descend(int depth) {
    volatile char frame[256];
    frame[0] = static_cast<char>(depth);
    return depth < 0 ? 0 : descend(depth + 1) + frame[0];
}

TEST(EmulatorDeathTest, GuardsStacksAndSharedMemory) {
    ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
    EXPECT_DEATH(failure_of(+[] { static_cast<volatile unsigned char *>(shared_memory())[1024] = 0; }, {1, 1, 1, 1024}), "");
    EXPECT_DEATH(failure_of(+[] { static_cast<volatile unsigned char *>(shared_memory())[-1] = 0; }, {1, 1, 1, 4096}), "");
    EXPECT_DEATH(failure_of(
                     +[](int *depth) { *depth = descend(*depth); }, {1, 1}, std::make_unique<int>(0).get()),
                 "");
}

TEST(Emulator, GoesOnAfterAFailure) {
    const Emulated emulated;
    EXPECT_NE("", failure_of(+[] { sync_warp(1); }, {4, 64}));
    EXPECT_EQ("", wrongness_of_sum_rows<Fault::NONE>());
}

}  // namespace
