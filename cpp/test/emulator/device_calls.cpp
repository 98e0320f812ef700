#include "emulator/device_calls.hpp"

#include <cstring>
#include <mutex>
#include <sstream>

#include "emulator/grid.hpp"

namespace holdfast::emulator {
namespace {

constexpr int POISON = 0xff;
constexpr int BULK_UNIT = 16;  // what addresses and sizes of bulk copies are multiples of

template <typename... Parts>
std::string text(const Parts &...parts) {
    std::ostringstream out;
    (out << ... << parts);
    return out.str();
}

// ---------------------------------------------------------------------------------------------------------------------- settings

struct Settings {
    std::mutex mutex;  // held while a grid runs
    Schedule schedule;
    device::DeviceProperties device{90, 132, 227 << 10, 228 << 10};
    Traffic traffic;
};

Settings &settings() {
    static Settings one;
    return one;
}

int64_t sum_of(const Traffic &traffic, std::initializer_list<Access> accesses) {
    int64_t sum = 0;
    for (Access access : accesses) {
        sum += traffic.bytes(access);
    }
    return sum;
}

// ------------------------------------------------------------------------------------------------------------------------ checks

void require_aligned(const void *address, int64_t unit, const Call &call) {
    if (reinterpret_cast<uintptr_t>(address) % unit != 0) {
        fail(call, text("an address that is a multiple of ", unit), text(address));
    }
}

void require_shared(const void *pointer, int64_t bytes, const Call &call) {
    if (!self().block->owns(pointer, bytes)) {
        fail(call, text(bytes, " bytes in the block's shared memory of ", grid->shape.shared_bytes),
             text("offset ", static_cast<const unsigned char *>(pointer) - self().block->shared.data()));
    }
}

void require_bulk_copies(const Call &call) {
    if (grid->device.architecture < 90) {
        fail(call, "a device of compute capability 9.0", text(grid->device.architecture / 10, ".", grid->device.architecture % 10));
    }
}

void require_bulk(const void *shared, const void *global, int bytes, const Call &call) {
    require_bulk_copies(call);
    require_aligned(shared, BULK_UNIT, call);
    require_aligned(global, BULK_UNIT, call);
    if (bytes <= 0 || bytes % BULK_UNIT != 0) {
        fail(call, text("a positive multiple of ", BULK_UNIT, " bytes"), text(bytes));
    }
    require_shared(shared, bytes, call);
}

Barrier &transaction_barrier(const void *barrier, const Call &call) {
    require_bulk_copies(call);
    auto &known = self().block->transaction_barriers;
    const auto found = known.find(barrier);
    if (found == known.end()) {
        fail(call, "a barrier of the block that barrier_init has made", "another address");
    }
    return found->second;
}

// ------------------------------------------------------------------------------------------------------------------------- warps

/// Finds the lanes that the mask names, or fails if they can never meet.
WarpMeeting &meeting_of(uint32_t mask, const Call &call) {
    Warp &warp = self().block->warp_of(self());
    const uint32_t own = 1u << self().lane();
    if ((mask & own) == 0) {
        fail(call, "a mask that has the caller's lane", text("0x", std::hex, mask));
    }
    if ((mask & ~warp.running) != 0) {
        fail(call, text("a mask of running lanes, 0x", std::hex, warp.running), text("0x", std::hex, mask));
    }
    for (const auto &[other, meeting] : warp.meetings) {
        if (other != mask && (other & own) != 0 && (meeting.arrived & mask) != 0) {
            fail(call, text("the mask of the lanes that wait, 0x", std::hex, other), text("0x", std::hex, mask));
        }
    }
    return warp.meetings.try_emplace(mask, mask).first->second;
}

/// Meets the lanes of the mask; the last one runs `settle` on behalf of all before any goes on.
template <typename Settle>
void meet(uint32_t mask, const Call &call, bool orders_memory, const Settle &settle) {
    WarpMeeting *meeting;
    {
        const Unwatched unwatched;
        meeting = &meeting_of(mask, call);
        meeting->arrived |= 1u << self().lane();
        if (meeting->arrived == mask) {
            settle();
            meeting->arrived = 0;
        }
    }
    meeting->barrier.wait(meeting->barrier.arrive_together(call, orders_memory), call);
}

template <typename Receive>
void for_lanes(uint32_t mask, const Receive &receive) {
    const int first = self().index - self().lane();
    for (int lane = 0; lane < device::WARP_SIZE; ++lane) {
        if ((mask >> lane & 1) != 0) {
            receive(self().block->threads[static_cast<size_t>(first + lane)]);
        }
    }
}

// ------------------------------------------------------------------------------------------------------------------------ copies

std::unique_ptr<Copy> started(void *target, const void *source, int bytes, Barrier *barrier, const Call &call) {
    auto copy = std::make_unique<Copy>(target, source, bytes, barrier, call);
    if (self().block->owns(target, bytes)) {
        std::memset(target, POISON, static_cast<size_t>(bytes));
    }
    return copy;
}

void count_bytes(Access access, int64_t bytes) { ++settings().traffic.accesses[{access, bytes}]; }

/// What is wrong with a shape; empty if the device takes it.
std::string refusal_of(const device::LaunchShape &shape, const device::DeviceProperties &device) {
    constexpr int64_t MOST_BLOCKS = 0x7fffffff;
    constexpr int MOST_THREADS = 1024;
    const int most_blocks_of_cluster = device.architecture >= 90 ? 16 : 1;
    if (shape.threads < 1 || shape.threads > MOST_THREADS) {
        return text("threads: expected [1, ", MOST_THREADS, "], got ", shape.threads);
    }
    if (shape.cluster < 1 || shape.cluster > most_blocks_of_cluster) {
        return text("cluster: expected [1, ", most_blocks_of_cluster, "], got ", shape.cluster);
    }
    if (shape.blocks < 1 || shape.blocks > MOST_BLOCKS || shape.blocks % shape.cluster != 0) {
        return text("blocks: expected a multiple of ", shape.cluster, " in [1, ", MOST_BLOCKS, "], got ", shape.blocks);
    }
    if (shape.shared_bytes > static_cast<size_t>(device.shared_bytes_per_block)) {
        return text("shared_bytes: expected at most ", device.shared_bytes_per_block, ", got ", shape.shared_bytes);
    }
    return {};
}

/// The message stays where it is until the thread's next call.
device::Outcome outcome_of(hf_status status, const std::string &message) {
    static thread_local std::string kept;
    kept = message;
    return message.empty() ? device::Outcome{} : device::Outcome{status, kept.c_str()};
}

}  // namespace

// ------------------------------------------------------------------------------------------------------------------ tests' calls

Schedule set_schedule(const Schedule &schedule) {
    const std::lock_guard<std::mutex> lock(settings().mutex);
    return std::exchange(settings().schedule, schedule);
}

device::DeviceProperties set_device(const device::DeviceProperties &properties) {
    const std::lock_guard<std::mutex> lock(settings().mutex);
    return std::exchange(settings().device, properties);
}

device::DeviceProperties properties() {
    const std::lock_guard<std::mutex> lock(settings().mutex);
    return settings().device;
}

Traffic traffic() {
    const std::lock_guard<std::mutex> lock(settings().mutex);
    return settings().traffic;
}

void reset_traffic() {
    const std::lock_guard<std::mutex> lock(settings().mutex);
    settings().traffic = {};
}

int64_t Traffic::bytes(Access access) const {
    int64_t sum = 0;
    for (const auto &[kind, times] : accesses) {
        sum += kind.first == access ? kind.second * times : 0;
    }
    return sum;
}

int64_t Traffic::bytes_read() const {
    return sum_of(*this, {Access::CACHED_LOAD, Access::STREAMING_LOAD, Access::ATOMIC, Access::ASYNC_COPY, Access::BULK_LOAD});
}

int64_t Traffic::bytes_written() const {
    return sum_of(*this, {Access::CACHED_STORE, Access::STREAMING_STORE, Access::ATOMIC, Access::BULK_STORE});
}

device::Outcome run(const device::LaunchShape &shape, const std::function<void()> &kernel) {
    const Unwatched unwatched;
    const std::lock_guard<std::mutex> lock(settings().mutex);
    const std::string refusal = refusal_of(shape, settings().device);
    if (!refusal.empty()) {
        return outcome_of(HF_INTERNAL, "launch: " + refusal);
    }
    Grid running(shape, kernel, settings().schedule, settings().device);
    return outcome_of(HF_DEVICE_FAILURE, running.run());
}

// ------------------------------------------------------------------------------------------------------------------ kernels' calls

int thread_index() { return self().index; }
int block_size() { return grid->shape.threads; }
int64_t block_index() { return self().block->index; }
int64_t grid_size() { return grid->shape.blocks; }
int cluster_rank() { return self().block->rank; }
int cluster_size() { return grid->shape.cluster; }
unsigned char *shared_memory() { return self().block->shared.data(); }

void sync_block(Site site) {
    const Call call{"sync_block", site};
    Block &block = *self().block;
    if (block.running < block_size()) {
        fail(call, "every thread of the block at its barrier", text(block_size() - block.running, " that have ended"));
    }
    block.barrier.wait(block.barrier.arrive_together(call), call);
}

void sync_warp(uint32_t mask, Site site) {
    meet(mask, {"sync_warp", site}, true, [] {});
}

void arrive_cluster(const char *function, Site site) {
    const Call call{function, site};
    Cluster &cluster = *grid->cluster;
    if (self().in_cluster_barrier) {
        fail(call, "wait_cluster after the arrival before", "a second arrival");
    }
    const int all = cluster_size() * block_size();
    if (cluster.running < all) {
        fail(call, "every thread of the cluster at its barrier", text(all - cluster.running, " that have ended"));
    }
    self().cluster_parity = cluster.barrier.arrive_together(call);
    self().in_cluster_barrier = true;
}

void wait_cluster(const char *function, Site site) {
    const Call call{function, site};
    if (!self().in_cluster_barrier) {
        fail(call, "arrive_cluster before", "none");
    }
    grid->cluster->barrier.wait(self().cluster_parity, call);
    self().in_cluster_barrier = false;
}

void *peer_shared(void *own, int64_t bytes, int rank, Site site) {
    const Unwatched unwatched;
    const Call call{"peer_shared", site};
    require_shared(own, bytes, call);
    if (rank < 0 || rank >= cluster_size()) {
        fail(call, text("a rank in [0, ", cluster_size() - 1, "]"), text(rank));
    }
    const Block &peer = grid->cluster->blocks[static_cast<size_t>(rank)];
    if (peer.running == 0) {
        fail(call, "a block that runs", text("block ", peer.index, ", which has ended"));
    }
    return peer.shared.data() + (static_cast<unsigned char *>(own) - shared_memory());
}

uint64_t shuffle(const char *function, uint64_t value, int lane, uint32_t mask, Site site) {
    const Call call{function, site};
    {
        const Unwatched unwatched;
        if (lane < 0 || lane >= device::WARP_SIZE || (mask >> lane & 1) == 0) {
            fail(call, text("a lane of the mask 0x", std::hex, mask), text("lane ", lane));
        }
        self().offered = value;
        self().wanted_lane = lane;
    }
    meet(mask, call, false, [mask] {
        const int first = self().index - self().lane();
        for_lanes(mask, [first](Thread &thread) {
            thread.received = thread.block->threads[static_cast<size_t>(first + thread.wanted_lane)].offered;
        });
    });
    return self().received;
}

uint32_t vote(bool predicate, uint32_t mask, Site site) {
    {
        const Unwatched unwatched;
        self().offered = predicate;
    }
    meet(mask, {"vote", site}, false, [mask] {
        uint32_t votes = 0;
        for_lanes(mask, [&votes](const Thread &thread) { votes |= static_cast<uint32_t>(thread.offered) << thread.lane(); });
        for_lanes(mask, [votes](Thread &thread) { thread.received = votes; });
    });
    return static_cast<uint32_t>(self().received);
}

void count(Access access, const void *address, int64_t bytes, const char *function, Site site) {
    const Unwatched unwatched;
    require_aligned(address, bytes, {function, site});
    count_bytes(access, bytes);
}

void async_copy(void *target, const void *source, int bytes, Site site) {
    const Unwatched unwatched;
    const Call call{"async_copy", site};
    require_aligned(target, bytes, call);
    require_aligned(source, bytes, call);
    require_shared(target, bytes, call);
    count_bytes(Access::ASYNC_COPY, bytes);
    std::unique_ptr<Copy> copy = started(target, source, bytes, nullptr, call);
    if (grid->draws_early_completion()) {
        copy->complete();
    }
    self().async_copies.add(std::move(copy));
}

void async_commit() {
    const Unwatched unwatched;
    self().async_copies.commit();
}

void async_wait(int pending) {
    const Unwatched unwatched;
    self().async_copies.wait(static_cast<size_t>(pending));
}

void barrier_init(const void *barrier, int arrivals, Site site) {
    const Unwatched unwatched;
    const Call call{"barrier_init", site};
    require_bulk_copies(call);
    require_aligned(barrier, sizeof(device::TransactionBarrier), call);
    require_shared(barrier, sizeof(device::TransactionBarrier), call);
    if (arrivals < 1) {
        fail(call, "at least 1 arrival", text(arrivals));
    }
    if (!self().block->transaction_barriers.try_emplace(barrier, arrivals).second) {
        fail(call, "memory that is no barrier yet", "a barrier");
    }
}

void barrier_expect(const void *barrier, int bytes, Site site) {
    Barrier *found;
    {
        const Unwatched unwatched;
        found = &transaction_barrier(barrier, {"barrier_expect", site});
        found->expect_bytes(bytes);
    }
    found->arrive();
}

void barrier_arrive(const void *barrier, Site site) {
    Barrier *found;
    {
        const Unwatched unwatched;
        found = &transaction_barrier(barrier, {"barrier_arrive", site});
    }
    found->arrive();
}

void barrier_wait(const void *barrier, int parity, Site site) {
    const Call call{"barrier_wait", site};
    Barrier *found;
    {
        const Unwatched unwatched;
        if (parity != 0 && parity != 1) {
            fail(call, "a parity of 0 or 1", text(parity));
        }
        found = &transaction_barrier(barrier, call);
    }
    found->wait(parity, call);
}

void bulk_load(void *target, const void *source, int bytes, const void *barrier, Site site) {
    const Unwatched unwatched;
    const Call call{"bulk_load", site};
    require_bulk(target, source, bytes, call);
    Barrier &found = transaction_barrier(barrier, call);
    count_bytes(Access::BULK_LOAD, bytes);
    std::unique_ptr<Copy> copy = started(target, source, bytes, &found, call);
    if (grid->draws_early_completion()) {
        copy->complete();
    } else {
        grid->cluster->bulk_loads.push_back(std::move(copy));
    }
}

void bulk_store(void *target, const void *source, int bytes, Site site) {
    const Unwatched unwatched;
    const Call call{"bulk_store", site};
    require_bulk(source, target, bytes, call);
    count_bytes(Access::BULK_STORE, bytes);
    std::unique_ptr<Copy> copy = started(target, source, bytes, nullptr, call);
    if (grid->draws_early_completion()) {
        copy->complete();
    }
    self().bulk_stores.add(std::move(copy));
}

void bulk_commit() {
    const Unwatched unwatched;
    self().bulk_stores.commit();
}

void bulk_wait_read(int pending) {
    const Unwatched unwatched;
    self().bulk_stores.wait(static_cast<size_t>(pending));
}

}  // namespace holdfast::emulator
