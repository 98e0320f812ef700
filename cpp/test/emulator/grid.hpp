// The parts of a running grid, and the order in which its threads run.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "emulator/barrier.hpp"
#include "emulator/call.hpp"
#include "emulator/copy.hpp"
#include "emulator/emulator.hpp"
#include "emulator/fibre.hpp"

namespace holdfast::emulator {

inline constexpr int POISON = 0xff;  // bytes of which every floating-point type has a NaN

struct Block;

struct Thread {
    Thread(Block *of, int position);
    ~Thread();
    Thread(const Thread &) = delete;
    Thread &operator=(const Thread &) = delete;
    int lane() const { return index % device::WARP_SIZE; }

    std::unique_ptr<Fibre> fibre;
    Block *const block;
    const int index;
    bool running = true;
    Call waits_in;         // for the report of a deadlock
    uint64_t offered = 0;  // to the lanes of its warp
    int wanted_lane = 0;   // whose offer it wants
    uint64_t received = 0;
    bool in_cluster_barrier = false;  // arrived and did not wait yet
    int cluster_parity = 0;
    CopyGroups async_copies, bulk_stores;
};

/// The lanes of one mask on their way to a barrier.
struct WarpMeeting {
    explicit WarpMeeting(uint32_t mask);

    Barrier barrier;
    uint32_t arrived = 0;
};

struct Warp {
    uint32_t running = 0;                      // lanes
    std::map<uint32_t, WarpMeeting> meetings;  // by mask
};

struct Block {
    Block(int64_t number, int cluster_rank, const device::LaunchShape &shape);
    Warp &warp_of(const Thread &thread) { return warps[static_cast<size_t>(thread.index / device::WARP_SIZE)]; }
    bool owns(const void *pointer, int64_t bytes) const;

    const int64_t index;
    const int rank;
    const GuardedMemory shared;
    Barrier barrier;
    int running;
    std::vector<Warp> warps;
    std::deque<Thread> threads;
    std::map<const void *, Barrier> transaction_barriers;
};

/// The blocks that are alive together.
struct Cluster {
    Cluster(int64_t number, const device::LaunchShape &shape);

    Barrier barrier;
    int running;
    std::deque<Block> blocks;
    std::vector<std::unique_ptr<Copy>> bulk_loads;  // under way
};

/// One run of a grid; there is one at a time.
class Grid {
public:
    Grid(const device::LaunchShape &launched, const std::function<void()> &run_by_each, const Schedule &chosen,
         const device::DeviceProperties &properties);
    ~Grid();
    Grid(const Grid &) = delete;
    Grid &operator=(const Grid &) = delete;

    /// Runs every cluster; returns the failure, empty if there is none.
    std::string run();

    void make_ready(Thread *thread);
    uint64_t draw() { return random_(); }
    bool draws_early_completion();

    /// Nothing more runs.
    void stop(const std::string &failure) { failure_ = failure; }

    const uint64_t number;
    const device::LaunchShape shape;
    const std::function<void()> &kernel;
    const device::DeviceProperties device;
    Cluster *cluster = nullptr;
    Thread *current = nullptr;

private:
    std::vector<int64_t> cluster_order();
    void run_cluster();
    void run_first_ready();
    bool complete_a_bulk_load();
    std::string deadlock() const;

    using Ready = std::pair<uint64_t, Thread *>;
    const Schedule schedule_;
    std::mt19937_64 random_;
    std::priority_queue<Ready> ready_;  // the highest number runs first
    std::string failure_;
};

/// The grid that runs, and its thread that does.
extern Grid *grid;
inline Thread &self() { return *grid->current; }

/// Suspends the thread that runs. What it did so far happens before the end of the launch, also if it never goes on.
void suspend();

std::string name_of(const Thread &thread);

/// Counts an access without checks.
void count_bytes(Access access, int64_t bytes);

}  // namespace holdfast::emulator
