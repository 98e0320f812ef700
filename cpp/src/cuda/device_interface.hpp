// Everything that kernels may use of a device, and how the host launches them: declarations; device.hpp has the bodies too.
//
// Kernels keep to five rules. They live in headers, marked HF_KERNEL and HF_DEVICE. Shared memory is the one dynamic arena, out of which
// they carve structs. Global memory is read and written through loads and stores of this file, or copied asynchronously, so that the
// emulator can count. Accurate functions are those of <cmath> for floats (expf, logf, expm1f, log1pf, fmaf); only the fast ones stand here.
// No thread waits in a loop for what another one writes: threads meet at barriers.
//
// Blocks and grids have one dimension. Clusters, transaction barriers and bulk copies need compute capability 9.0. Older devices take every
// block for a cluster of its own; barriers and bulk copies compile there, and trap where they are run (HAS_BULK_COPIES).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "holdfast/holdfast.h"

// HF_DEVICE is for the functions of kernels, HF_DEVICE_CALL for those that a device offers to them.
#ifdef HOLDFAST_EMULATED
#define HF_KERNEL(...) inline
#define HF_DEVICE inline
#define HF_DEVICE_CALL
#else
#define HF_KERNEL(...) __global__ __launch_bounds__(__VA_ARGS__)  // threads of a block at most, blocks per multiprocessor at least
#define HF_DEVICE __device__ __forceinline__
#define HF_DEVICE_CALL HF_DEVICE
#endif

namespace holdfast::device {

inline constexpr int WARP_SIZE = 32;
inline constexpr uint32_t FULL_WARP = 0xffffffffu;

/// Whether the code that is being compiled may use transaction barriers and bulk copies.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
inline constexpr bool HAS_BULK_COPIES = false;
#else
inline constexpr bool HAS_BULK_COPIES = true;
#endif

/// The place in a kernel that calls; the emulator names it in its messages, a device knows nothing of it.
struct Site {
#ifdef HOLDFAST_EMULATED
    const char *file = "";
    int line = 0;
    static constexpr Site here(const char *file = __builtin_FILE(), int line = __builtin_LINE()) { return {file, line}; }
#else
    HF_DEVICE static constexpr Site here() { return {}; }
#endif
};

/// The widest unit of a load or store.
struct alignas(16) Bytes16 {
    uint32_t words[4];
};

struct alignas(8) Float2 {
    float x, y;
};

// ------------------------------------------------------------------------------------------------------------- where a thread is

/// Index of the thread in its block, and the threads of a block.
HF_DEVICE_CALL int thread_index();
HF_DEVICE_CALL int block_size();

/// Index of the thread in its warp, and of the warp in its block.
HF_DEVICE_CALL int lane_index();
HF_DEVICE_CALL int warp_index();

/// Index of the block in the grid, and the blocks of the grid; 64-bit, for they are multiplied by row lengths.
HF_DEVICE_CALL int64_t block_index();
HF_DEVICE_CALL int64_t grid_size();

/// Index of the block in its cluster, and the blocks of a cluster; 0 and 1 without clusters.
HF_DEVICE_CALL int cluster_rank();
HF_DEVICE_CALL int cluster_size();

/// The block's dynamic shared memory, LaunchShape::shared_bytes long and aligned to 1,024. Its first content is undefined.
HF_DEVICE_CALL unsigned char *shared_memory();

// ------------------------------------------------------------------------------------------------------------------------ barriers

/// All threads of the block meet at the same line; memory written before is seen after.
HF_DEVICE_CALL void sync_block(Site site = Site::here());

/// As sync_block for the lanes of the mask, which must contain the caller.
HF_DEVICE_CALL void sync_warp(uint32_t mask = FULL_WARP, Site site = Site::here());

/// As sync_block for all threads of the cluster.
HF_DEVICE_CALL void sync_cluster(Site site = Site::here());

/// The two halves of sync_cluster: what a thread does between them overlaps with the others' arrival. Each arrival needs its wait.
HF_DEVICE_CALL void arrive_cluster(Site site = Site::here());
HF_DEVICE_CALL void wait_cluster(Site site = Site::here());

/// The address of the same object in another block of the cluster. Valid from the first cluster barrier, and until the other block may
/// leave: a block whose memory others read must meet them at a cluster barrier before it ends.
template <typename T>
HF_DEVICE T *peer_shared(T *own, int rank, Site site = Site::here());

// --------------------------------------------------------------------------------------------------------------- within a warp

/// The value of lane (own XOR lanes), or of the lane given. T has 4 or 8 bytes. All lanes of the mask must call at the same line. Unlike
/// sync_warp these do not order memory.
template <typename T>
HF_DEVICE T shuffle_xor(T value, int lanes, uint32_t mask = FULL_WARP, Site site = Site::here());
template <typename T>
HF_DEVICE T shuffle(T value, int lane, uint32_t mask = FULL_WARP, Site site = Site::here());

/// The lanes of the mask whose predicate holds, as bits.
HF_DEVICE_CALL uint32_t vote(bool predicate, uint32_t mask = FULL_WARP, Site site = Site::here());

// --------------------------------------------------------------------------------------------------------------- global memory

/// T has 1, 2, 4, 8 or 16 bytes and is aligned to its size. Streaming accesses are for what is touched once: they leave the caches to the
/// rest. Ordinary ones go through L2, where a later walk over the same row may find it.
template <typename T>
HF_DEVICE T load_cached(const T *source, Site site = Site::here());
template <typename T>
HF_DEVICE T load_streaming(const T *source, Site site = Site::here());
template <typename T>
HF_DEVICE void store_cached(T *target, T value, Site site = Site::here());
template <typename T>
HF_DEVICE void store_streaming(T *target, T value, Site site = Site::here());

/// Adds and returns the value before; T is float, int or uint32_t. Sums of floats depend on the order of threads.
template <typename T>
HF_DEVICE T atomic_add(T *target, T value, Site site = Site::here());

// ------------------------------------------------------------------------------------------------- asynchronous copies of a thread

/// Starts a copy of 4, 8 or 16 bytes from global to the block's shared memory, both aligned to their size. The target is undefined until
/// the thread has waited for the copy's group, and other threads need a barrier after that.
template <int bytes>
HF_DEVICE void async_copy(void *shared_target, const void *source, Site site = Site::here());

/// Closes the group of the copies started since the last commit.
HF_DEVICE_CALL void async_commit(Site site = Site::here());

/// Waits until at most `pending` of the youngest groups are unfinished. A thread must not end with unfinished copies.
template <int pending>
HF_DEVICE void async_wait(Site site = Site::here());

// ------------------------------------------------------------------------------------------------------- bulk copies (9.0 and later)

/// A barrier in shared memory (PTX: mbarrier) whose phase completes when the arrivals it was made for have come and all expected bytes
/// were copied. Phases are numbered from 0; waits name the phase's parity.
struct alignas(8) TransactionBarrier {
    uint64_t state;
};

/// One thread makes the barrier; fence_async and a sync_block must follow before others or copies use it.
HF_DEVICE_CALL void barrier_init(TransactionBarrier *barrier, int arrivals, Site site = Site::here());

/// Makes the thread's earlier writes to shared memory visible to bulk copies that start after.
HF_DEVICE_CALL void fence_async(Site site = Site::here());

/// Arrives; the first one also announces bytes that bulk copies will bring in this phase.
HF_DEVICE_CALL void barrier_expect(TransactionBarrier *barrier, int bytes, Site site = Site::here());
HF_DEVICE_CALL void barrier_arrive(TransactionBarrier *barrier, Site site = Site::here());

/// Waits for the end of the current phase if its number has this parity (0 or 1), else returns at once.
HF_DEVICE_CALL void barrier_wait(TransactionBarrier *barrier, int parity, Site site = Site::here());

/// Starts a copy from global to the block's own shared memory that takes its bytes off the barrier. Addresses and size are multiples of 16.
HF_DEVICE_CALL void bulk_load(void *shared_target, const void *source, int bytes, TransactionBarrier *barrier, Site site = Site::here());

/// Starts a copy from the block's own shared to global memory; fence_async must come before it. Addresses and size are multiples of 16.
HF_DEVICE_CALL void bulk_store(void *target, const void *shared_source, int bytes, Site site = Site::here());

/// Closes the group of the thread's bulk stores since the last commit; waits until all but the `pending` youngest groups have read their
/// source. A thread must not end before they have.
HF_DEVICE_CALL void bulk_commit(Site site = Site::here());
template <int pending>
HF_DEVICE void bulk_wait_read(Site site = Site::here());

// ---------------------------------------------------------------------------------------------------------------------- arithmetic

/// 2^x and log2(x) by the device's table: about 2 ulp, subnormals count as 0. The emulator's are exact: compare with a tolerance.
HF_DEVICE_CALL float fast_exp2(float x);
HF_DEVICE_CALL float fast_log2(float x);

/// Pairs of 16-bit floats, the first in the low half. Narrowing rounds to nearest, ties to even.
HF_DEVICE_CALL Float2 widen_bfloat16(uint32_t pair);
HF_DEVICE_CALL Float2 widen_float16(uint32_t pair);
HF_DEVICE_CALL uint32_t narrow_bfloat16(Float2 values);
HF_DEVICE_CALL uint32_t narrow_float16(Float2 values);

/// The greater and the smaller; NaN if either is. The second and third forms take pairs.
HF_DEVICE_CALL float max_or_nan(float a, float b);
HF_DEVICE_CALL float min_or_nan(float a, float b);
HF_DEVICE_CALL uint32_t max_or_nan_bfloat16(uint32_t a, uint32_t b);
HF_DEVICE_CALL uint32_t min_or_nan_bfloat16(uint32_t a, uint32_t b);
HF_DEVICE_CALL uint32_t max_or_nan_float16(uint32_t a, uint32_t b);
HF_DEVICE_CALL uint32_t min_or_nan_float16(uint32_t a, uint32_t b);

/// The same bits as another type of the same size.
template <typename To, typename From>
HF_DEVICE To bits_as(const From &from) {
    static_assert(sizeof(To) == sizeof(From), "bits_as: expected types of one size");
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}

// --------------------------------------------------------------------------------------------------------------------------- host

/// The outcome of a call to the driver. The message is empty for HF_OK; it is the driver's, or valid until the thread's next call.
struct Outcome {
    hf_status status = HF_OK;
    const char *message = "";
};

struct DeviceProperties {
    int architecture = 0;  // 90 for compute capability 9.0
    int multiprocessors = 0;
    int shared_bytes_per_block = 0;  // the most that a launch may ask for
    int shared_bytes_per_multiprocessor = 0;
};

/// Properties of the calling thread's current device.
Outcome query(DeviceProperties *properties);

struct LaunchShape {
    int64_t blocks = 0;       // a multiple of cluster
    int threads = 0;          // of a block
    int cluster = 1;          // blocks of a cluster; some devices refuse more than 8
    size_t shared_bytes = 0;  // of a block
};

/// Enqueues a kernel on the stream. On a device it returns at once and failures of the kernel itself show later; the emulator runs the
/// kernel and reports its failures (HF_DEVICE_FAILURE).
template <typename... Parameters, typename... Arguments>
Outcome launch(void (*kernel)(Parameters...), const LaunchShape &shape, void *stream, Arguments &&...arguments);

}  // namespace holdfast::device
