#include "emulator/grid.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "emulator/pool.hpp"

namespace holdfast::emulator {
namespace {

int warps_of(int threads) { return (threads + device::WARP_SIZE - 1) / device::WARP_SIZE; }

[[noreturn]] void fail_at_end(const char *expected, const std::string &got) { fail({"end of the kernel", {}}, expected, got); }

void require_no_copies(const Thread &thread) {
    for (const CopyGroups *groups : {&thread.async_copies, &thread.bulk_stores}) {
        if (const Copy *copy = groups->unfinished()) {
            fail_at_end("every copy waited for", text_of(copy->call()) + " under way");
        }
    }
}

/// Nobody may wait, now or later, for a thread that has ended.
void require_nobody_waits(const Thread &thread) {
    Block &block = *thread.block;
    if (block.barrier.has_arrivals()) {
        fail_at_end("every thread of the block at its barrier", "one that leaves while others wait there");
    }
    if (thread.in_cluster_barrier || grid->cluster->barrier.has_arrivals()) {
        fail_at_end("every thread of the cluster at its barrier", "one that leaves while others wait there");
    }
    for (const auto &[mask, meeting] : block.warp_of(thread).meetings) {
        if (meeting.arrived != 0 && (mask >> thread.lane() & 1) != 0) {
            fail_at_end("every lane of the mask at the warp's barrier", "one that leaves while others wait there");
        }
    }
}

void require_no_transactions(const Block &block) {
    for (const auto &loading : grid->cluster->bulk_loads) {
        if (block.owns(loading->target(), 1)) {
            fail_at_end("every copy complete", text_of(loading->call()) + " under way");
        }
    }
    for (const auto &[address, barrier] : block.transaction_barriers) {
        if (barrier.expected_bytes() != 0) {
            fail_at_end("every transaction count at 0", std::to_string(barrier.expected_bytes()) + " bytes of a barrier expected");
        }
    }
}

/// What peers still read of the shared memory is wrong from now on; to ThreadSanitizer this is a write by the block's last thread.
void end_block(Block &block) {
    {
        const Unwatched unwatched;
        require_no_transactions(block);
        std::memset(block.shared.data(), POISON, block.shared.size());
    }
    observe(&block);
    note_write(block.shared.data(), block.shared.size());
}

void end_thread(Thread &thread) {
    bool last;
    {
        const Unwatched unwatched;
        require_no_copies(thread);
        require_nobody_waits(thread);
        Block &block = *thread.block;
        thread.running = false;
        block.warp_of(thread).running &= ~(1u << thread.lane());
        --grid->cluster->running;
        last = --block.running == 0;
    }
    publish(thread.block);
    if (last) {
        end_block(*thread.block);
    }
}

Pool<Fibre> &fibres() {
    static auto *const pool = new Pool<Fibre>;
    return *pool;
}

uint64_t next_number() {
    static uint64_t number = 0;
    return ++number;
}

void run_thread() {
    observe(&grid->shape);  // which stands for all that came before the launch
    try {
        grid->kernel();
        end_thread(self());
    } catch (const Failure &failure) {
        const Unwatched unwatched;
        grid->stop(failure.message);
    }
    publish(grid);
}

}  // namespace

Grid *grid = nullptr;

bool Call::operator==(const Call &other) const {
    return site.line == other.site.line && std::strcmp(site.file, other.site.file) == 0 && std::strcmp(function, other.function) == 0;
}

std::string text_of(const Call &call) {
    const char *slash = std::strrchr(call.site.file, '/');
    return std::string(call.function) + " (" + (slash == nullptr ? call.site.file : slash + 1) + ":" + std::to_string(call.site.line) + ")";
}

void suspend() {
    Thread &thread = self();
    publish(grid);
    thread.fibre->suspend();
}

std::string name_of(const Thread &thread) {
    return "block " + std::to_string(thread.block->index) + ", thread " + std::to_string(thread.index);
}

void fail(const Call &call, const std::string &expected, const std::string &got) {
    const std::string where = *call.site.file == '\0' ? call.function : text_of(call);
    throw Failure{name_of(self()) + ": " + where + ": expected " + expected + ", got " + got};
}

Thread::Thread(Block *of, int position) : fibre(fibres().take(grid->number)), block(of), index(position) { fibre->begin(run_thread); }

/// A fibre that is stuck in a kernel is not used again.
Thread::~Thread() {
    if (!running) {
        fibres().give_back(std::move(fibre), grid->number);
    }
}

WarpMeeting::WarpMeeting(uint32_t mask) : barrier(__builtin_popcount(mask)) {}

Block::Block(int64_t number, int cluster_rank, const device::LaunchShape &shape)
    : index(number),
      rank(cluster_rank),
      shared(shape.shared_bytes),
      barrier(shape.threads),
      running(shape.threads),
      warps(static_cast<size_t>(warps_of(shape.threads))) {
    std::memset(shared.data(), POISON, shared.size());
    for (int i = 0; i < shape.threads; ++i) {
        threads.emplace_back(this, i);
        warp_of(threads.back()).running |= 1u << threads.back().lane();
    }
}

bool Block::owns(const void *pointer, int64_t bytes) const {
    const auto *first = static_cast<const unsigned char *>(pointer);
    return first >= shared.data() && bytes <= static_cast<int64_t>(shared.size()) &&
           first - shared.data() <= static_cast<int64_t>(shared.size()) - bytes;
}

Cluster::Cluster(int64_t number, const device::LaunchShape &shape)
    : barrier(shape.cluster * shape.threads), running(shape.cluster * shape.threads) {
    for (int rank = 0; rank < shape.cluster; ++rank) {
        blocks.emplace_back(number * shape.cluster + rank, rank, shape);
    }
}

Grid::Grid(const device::LaunchShape &launched, const std::function<void()> &run_by_each, const Schedule &chosen,
           const device::DeviceProperties &properties)
    : number(next_number()), shape(launched), kernel(run_by_each), device(properties), schedule_(chosen), random_(chosen.seed) {
    grid = this;
}

Grid::~Grid() { grid = nullptr; }

std::string Grid::run() {
    publish(&shape);
    for (int64_t index : cluster_order()) {
        Cluster alive(index, shape);
        cluster = &alive;
        run_cluster();
        if (!failure_.empty()) {
            break;
        }
    }
    observe(this);
    return failure_;
}

std::vector<int64_t> Grid::cluster_order() {
    std::vector<int64_t> order(static_cast<size_t>(shape.blocks / shape.cluster));
    std::iota(order.begin(), order.end(), 0);
    if (schedule_.order == Order::REVERSE) {
        std::reverse(order.begin(), order.end());
    } else if (schedule_.order == Order::SHUFFLED) {
        std::shuffle(order.begin(), order.end(), random_);
    }
    return order;
}

void Grid::run_cluster() {
    ready_ = {};
    for (Block &block : cluster->blocks) {
        for (Thread &thread : block.threads) {
            make_ready(&thread);
        }
    }
    while (cluster->running > 0 && failure_.empty()) {
        if (!ready_.empty()) {
            run_first_ready();
        } else if (!complete_a_bulk_load()) {
            failure_ = deadlock();
        }
    }
}

void Grid::make_ready(Thread *thread) {
    const uint64_t position = static_cast<uint64_t>(thread->block->rank) * shape.threads + thread->index;
    switch (schedule_.order) {
        case Order::FORWARD:
            return ready_.emplace(~position, thread);
        case Order::REVERSE:
            return ready_.emplace(position, thread);
        default:
            return ready_.emplace(draw(), thread);
    }
}

void Grid::run_first_ready() {
    current = ready_.top().second;
    ready_.pop();
    current->fibre->resume();
}

bool Grid::draws_early_completion() {
    return schedule_.copies == Completion::EARLY || (schedule_.copies == Completion::SHUFFLED && draw() % 2 == 0);
}

bool Grid::complete_a_bulk_load() {
    auto &loads = cluster->bulk_loads;
    if (loads.empty()) {
        return false;
    }
    std::swap(loads[draw() % loads.size()], loads.back());
    const std::unique_ptr<Copy> load = std::move(loads.back());
    loads.pop_back();
    load->complete();
    return true;
}

std::string Grid::deadlock() const {
    std::map<std::string, std::vector<const Thread *>> waiting;
    for (const Block &block : cluster->blocks) {
        for (const Thread &thread : block.threads) {
            if (thread.running) {
                waiting[text_of(thread.waits_in)].push_back(&thread);
            }
        }
    }
    std::string report = "deadlock: expected a thread that can run, got";
    for (const auto &[call, threads] : waiting) {
        report += " " + std::to_string(threads.size()) + " in " + call + ", first " + name_of(*threads.front()) + ";";
    }
    for (const Block &block : cluster->blocks) {
        for (const auto &[address, barrier] : block.transaction_barriers) {
            if (barrier.has_arrivals() || barrier.expected_bytes() != 0) {
                report += " to a transaction barrier of block " + std::to_string(block.index) + " " + barrier.lacks() + ";";
            }
        }
    }
    return report;
}

}  // namespace holdfast::emulator
