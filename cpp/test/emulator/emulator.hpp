// Runs the CUDA kernels of src/cuda on the CPU, from their very source, so that tests find faults of synchronisation without a device.
//
// Every CUDA thread is a fibre; all fibres of a cluster live at once in one thread of the operating system, and clusters run one after the
// other. Fibres change only where a kernel calls a function of device.hpp that waits, in an order drawn from a seed. Shared memory starts
// as NaN, as does the target of a copy that is under way. Copies complete as late as their wait allows, or at once; the seed draws that
// too.
//
// A launch fails, with a message that names source line, block and thread, on: a barrier that not all threads reach at one line; a mask
// that lacks its caller, names lanes that have ended, or contradicts a waiting lane's; a shuffle from outside the mask; shared memory of a
// block that has ended; a thread that ends while others wait for it or its copies are under way; transaction counts that do not come out at
// zero; barriers used before they were made; copies that are unaligned or leave the block's shared memory; a deadlock. A build with
// -fsanitize=thread also reports data races, between threads, blocks, clusters and copies. Memory just outside a block's shared memory or a
// fibre's stack is unmapped: an access there ends the process.
//
// Not modelled: PTX's memory model beyond what barriers order, the ordering of proxies (a missing fence_async), bank conflicts, registers,
// time, the rounding of fast_exp2 and fast_log2, contraction into fused operations, and threads that spin on memory, which never end here.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "cuda/device_interface.hpp"

namespace holdfast::emulator {

/// Which of the threads that can run does: one drawn by the seed, or the first or the last in the cluster, which runs ahead as far as it
/// can.
enum class Order { SHUFFLED, FORWARD, REVERSE };

/// When copies complete: when nothing else can happen before, when they are started, or either, drawn by the seed.
enum class Completion { LATE, EARLY, SHUFFLED };

struct Schedule {
    Order order = Order::SHUFFLED;
    Completion copies = Completion::SHUFFLED;
    uint64_t seed = 1;
};

/// Holds for the launches that follow, of every thread, each of which starts again from the seed; returns what held before.
Schedule set_schedule(const Schedule &schedule);

/// What device::query answers. Kernels for 9.0 fail on less. At first: architecture 90, 132 multiprocessors, 227 KiB.
device::DeviceProperties set_device(const device::DeviceProperties &properties);

enum class Access { CACHED_LOAD, STREAMING_LOAD, CACHED_STORE, STREAMING_STORE, ATOMIC, ASYNC_COPY, BULK_LOAD, BULK_STORE };

/// Accesses to global memory that went through device.hpp.
struct Traffic {
    std::map<std::pair<Access, int64_t>, int64_t> accesses;  // how many, by kind and width in bytes; a bulk copy's width is its size

    int64_t bytes(Access access) const;
    int64_t bytes_read() const;
    int64_t bytes_written() const;
};

/// What all launches since the last reset have moved.
Traffic traffic();
void reset_traffic();

}  // namespace holdfast::emulator
