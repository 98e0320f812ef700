// What the bodies in device_emulated.hpp call: everything of them that needs no template.
#pragma once

#include <cstdint>
#include <functional>

#include "emulator/emulator.hpp"

#pragma GCC visibility push(default)

namespace holdfast::emulator {

using device::Site;

/// Refuses shapes that the device would refuse, else runs the function once per thread.
device::Outcome run(const device::LaunchShape &shape, const std::function<void()> &kernel);
device::DeviceProperties properties();

int thread_index();
int block_size();
int64_t block_index();
int64_t grid_size();
int cluster_rank();
int cluster_size();
unsigned char *shared_memory();

void sync_block(Site site);
void sync_warp(uint32_t mask, Site site);
void arrive_cluster(const char *function, Site site);
void wait_cluster(const char *function, Site site);
void *peer_shared(void *own, int64_t bytes, int rank, Site site);

uint64_t shuffle(const char *function, uint64_t value, int lane, uint32_t mask, Site site);
uint32_t vote(bool predicate, uint32_t mask, Site site);

/// Counts an access to global memory, which must be aligned to its width.
void count(Access access, const void *address, int64_t bytes, const char *function, Site site);

void async_copy(void *target, const void *source, int bytes, Site site);
void async_commit();
void async_wait(int pending);

void barrier_init(const void *barrier, int arrivals, Site site);
void barrier_expect(const void *barrier, int bytes, Site site);
void barrier_arrive(const void *barrier, Site site);
void barrier_wait(const void *barrier, int parity, Site site);
void bulk_load(void *target, const void *source, int bytes, const void *barrier, Site site);
void bulk_store(void *target, const void *source, int bytes, Site site);
void bulk_commit();
void bulk_wait_read(int pending);

}  // namespace holdfast::emulator

#pragma GCC visibility pop
