// The bodies of device.hpp for the emulator, but for templates and arithmetic.
#include <cstring>
#include <memory>

#include "emulator/device_emulated.hpp"
#include "emulator/grid.hpp"

namespace holdfast::emulator {
namespace {

constexpr int BULK_UNIT = 16;  // addresses and sizes of bulk copies are multiples of it

// ------------------------------------------------------------------------------------------------------------------------ checks

void require_aligned(const void *address, int64_t unit, const Call &call) {
    if (reinterpret_cast<uintptr_t>(address) % unit != 0) {
        fail(call, text("an address that is a multiple of ", unit), text(address));
    }
}

void require_shared(const void *pointer, int64_t bytes, const Call &call) {
    const Block &block = *self().block;
    if (!block.owns(pointer, bytes)) {
        fail(call, text(bytes, " bytes in the block's shared memory of ", block.shared.size()),
             text("offset ", static_cast<const unsigned char *>(pointer) - block.shared.data()));
    }
}

void require_bulk_copies(const Call &call) {
    const int architecture = grid->device.architecture;
    if (architecture < 90) {
        fail(call, "a device of compute capability 9.0", text(architecture / 10, ".", architecture % 10));
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
    auto &known = self().block->transaction_barriers;
    const auto found = known.find(barrier);
    if (found == known.end()) {
        fail(call, "a barrier of the block that barrier_init has made", "another address");
    }
    return found->second;
}

// ------------------------------------------------------------------------------------------------------------------------- warps

/// Finds the meeting of the mask's lanes, or fails if they can never meet.
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

/// Meets the lanes of the mask; the last one to come runs `settle` on behalf of all before any goes on.
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

Thread &lane_of_warp(int lane) { return self().block->threads[static_cast<size_t>(self().index - self().lane() + lane)]; }

template <typename Visit>
void for_lanes(uint32_t mask, const Visit &visit) {
    for (int lane = 0; lane < device::WARP_SIZE; ++lane) {
        if ((mask >> lane & 1) != 0) {
            visit(lane_of_warp(lane));
        }
    }
}

// --------------------------------------------------------------------------------------------------------------------- barriers

void arrive_cluster(const Call &call) {
    Cluster &cluster = *grid->cluster;
    if (self().in_cluster_barrier) {
        fail(call, "wait_cluster after the arrival before", "a second arrival");
    }
    const int all = grid->shape.cluster * grid->shape.threads;
    if (cluster.running < all) {
        fail(call, "every thread of the cluster at its barrier", text(all - cluster.running, " that have ended"));
    }
    self().cluster_parity = cluster.barrier.arrive_together(call);
    self().in_cluster_barrier = true;
}

void wait_cluster(const Call &call) {
    if (!self().in_cluster_barrier) {
        fail(call, "arrive_cluster before", "none");
    }
    grid->cluster->barrier.wait(self().cluster_parity, call);
    self().in_cluster_barrier = false;
}

void arrive(const void *barrier, int64_t bytes, const Call &call) {
    note_read(barrier, sizeof(device::TransactionBarrier));
    Barrier *found;
    {
        const Unwatched unwatched;
        found = &transaction_barrier(barrier, call);
        found->expect_bytes(bytes);
    }
    found->arrive();
}

}  // namespace

// ------------------------------------------------------------------------------------------------------ what templates have in common

void *peer_shared(void *own, int64_t bytes, int rank, Site site) {
    const Unwatched unwatched;
    const Call call{"peer_shared", site};
    require_shared(own, bytes, call);
    if (rank < 0 || rank >= grid->shape.cluster) {
        fail(call, text("a rank in [0, ", grid->shape.cluster - 1, "]"), text(rank));
    }
    const Block &peer = grid->cluster->blocks[static_cast<size_t>(rank)];
    if (peer.running == 0) {
        fail(call, "a block that runs", text("block ", peer.index, ", which has ended"));
    }
    return peer.shared.data() + (static_cast<unsigned char *>(own) - self().block->shared.data());
}

uint64_t shuffle(const char *function, uint64_t value, int lane, uint32_t mask, Site site) {
    const Call call{function, site};
    {
        const Unwatched unwatched;
        if (lane < 0 || lane >= device::WARP_SIZE || (mask >> lane & 1) == 0) {
            fail(call, text("a lane of the mask 0x", std::hex, mask), text("lane ", std::dec, lane));
        }
        self().offered = value;
        self().wanted_lane = lane;
    }
    meet(mask, call, false,
         [mask] { for_lanes(mask, [](Thread &thread) { thread.received = lane_of_warp(thread.wanted_lane).offered; }); });
    return self().received;
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
    self().async_copies.add(std::make_unique<Copy>(target, source, bytes, nullptr, call));
}

void async_wait(int pending) {
    const Unwatched unwatched;
    self().async_copies.wait(static_cast<size_t>(pending));
}

void bulk_wait_read(int pending) {
    const Unwatched unwatched;
    self().bulk_stores.wait(static_cast<size_t>(pending));
}

}  // namespace holdfast::emulator

namespace holdfast::device {

using namespace emulator;

int thread_index() { return self().index; }
int block_size() { return grid->shape.threads; }
int lane_index() { return self().lane(); }
int warp_index() { return self().index / WARP_SIZE; }
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

void sync_cluster(Site site) {
    const Call call{"sync_cluster", site};
    emulator::arrive_cluster(call);
    emulator::wait_cluster(call);
}

void arrive_cluster(Site site) { emulator::arrive_cluster({"arrive_cluster", site}); }
void wait_cluster(Site site) { emulator::wait_cluster({"wait_cluster", site}); }

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

void async_commit(Site) {
    const Unwatched unwatched;
    self().async_copies.commit();
}

void fence_async(Site site) { require_bulk_copies({"fence_async", site}); }

// The state of transaction barriers is kept elsewhere. Accesses to the barrier are noted all the same: they show ThreadSanitizer a thread
// that does not meet the one which makes the barrier.

void barrier_init(TransactionBarrier *barrier, int arrivals, Site site) {
    note_write(barrier, sizeof *barrier);
    const Unwatched unwatched;
    const Call call{"barrier_init", site};
    require_bulk_copies(call);
    require_aligned(barrier, sizeof *barrier, call);
    require_shared(barrier, sizeof *barrier, call);
    if (arrivals < 1) {
        fail(call, "at least 1 arrival", text(arrivals));
    }
    if (!self().block->transaction_barriers.try_emplace(barrier, arrivals).second) {
        fail(call, "memory that is no barrier yet", "a barrier");
    }
}

void barrier_expect(TransactionBarrier *barrier, int bytes, Site site) { arrive(barrier, bytes, {"barrier_expect", site}); }
void barrier_arrive(TransactionBarrier *barrier, Site site) { arrive(barrier, 0, {"barrier_arrive", site}); }

void barrier_wait(TransactionBarrier *barrier, int parity, Site site) {
    const Call call{"barrier_wait", site};
    note_read(barrier, sizeof *barrier);
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

void bulk_load(void *target, const void *source, int bytes, TransactionBarrier *barrier, Site site) {
    const Unwatched unwatched;
    const Call call{"bulk_load", site};
    require_bulk(target, source, bytes, call);
    count_bytes(Access::BULK_LOAD, bytes);
    auto copy = std::make_unique<Copy>(target, source, bytes, &transaction_barrier(barrier, call), call);
    if (!copy->is_complete()) {
        grid->cluster->bulk_loads.push_back(std::move(copy));
    }
}

void bulk_store(void *target, const void *source, int bytes, Site site) {
    const Unwatched unwatched;
    const Call call{"bulk_store", site};
    require_bulk(source, target, bytes, call);
    count_bytes(Access::BULK_STORE, bytes);
    self().bulk_stores.add(std::make_unique<Copy>(target, source, bytes, nullptr, call));
}

void bulk_commit(Site) {
    const Unwatched unwatched;
    self().bulk_stores.commit();
}

}  // namespace holdfast::device
