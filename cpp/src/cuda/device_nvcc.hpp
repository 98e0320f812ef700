// The bodies of device.hpp for nvcc: PTX where CUDA C++ has no function.
#pragma once

#include <cuda_runtime.h>

#include <utility>

#include "cuda/device_interface.hpp"

/// PTX that needs compute capability 9.0; the plan never lets it run on older devices.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
#define HF_PTX_90(...) __trap()
#else
#define HF_PTX_90(...) asm volatile(__VA_ARGS__)
#endif

namespace holdfast::device {

HF_DEVICE int thread_index() { return static_cast<int>(threadIdx.x); }
HF_DEVICE int block_size() { return static_cast<int>(blockDim.x); }
HF_DEVICE int lane_index() { return thread_index() % WARP_SIZE; }
HF_DEVICE int warp_index() { return thread_index() / WARP_SIZE; }
HF_DEVICE int64_t block_index() { return blockIdx.x; }
HF_DEVICE int64_t grid_size() { return gridDim.x; }

HF_DEVICE int cluster_rank() {
    int rank = 0;
#if __CUDA_ARCH__ >= 900
    asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
#endif
    return rank;
}

HF_DEVICE int cluster_size() {
    int size = 1;
#if __CUDA_ARCH__ >= 900
    asm("mov.u32 %0, %%cluster_nctarank;" : "=r"(size));
#endif
    return size;
}

HF_DEVICE unsigned char *shared_memory() {
    extern __shared__ __align__(1024) unsigned char holdfast_shared_arena[];
    return holdfast_shared_arena;
}

/// The address as PTX wants it for the state space shared::cta.
HF_DEVICE uint32_t shared_address(const void *pointer) { return static_cast<uint32_t>(__cvta_generic_to_shared(pointer)); }

// ------------------------------------------------------------------------------------------------------------------------ barriers

HF_DEVICE void sync_block(Site) { __syncthreads(); }
HF_DEVICE void sync_warp(uint32_t mask, Site) { __syncwarp(mask); }

HF_DEVICE void arrive_cluster(Site) {
#if __CUDA_ARCH__ >= 900
    asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
#endif
}

HF_DEVICE void wait_cluster(Site) {
#if __CUDA_ARCH__ >= 900
    asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
#else
    __syncthreads();
#endif
}

HF_DEVICE void sync_cluster(Site site) {
    arrive_cluster(site);
    wait_cluster(site);
}

template <typename T>
HF_DEVICE T *peer_shared(T *own, [[maybe_unused]] int rank, Site) {
#if __CUDA_ARCH__ >= 900
    uint64_t peer;
    asm("mapa.u64 %0, %1, %2;" : "=l"(peer) : "l"(own), "r"(rank));
    return reinterpret_cast<T *>(peer);
#else
    return own;
#endif
}

// --------------------------------------------------------------------------------------------------------------- within a warp

template <typename T>
HF_DEVICE T shuffle_xor(T value, int lanes, uint32_t mask, Site) {
    return __shfl_xor_sync(mask, value, lanes);
}

template <typename T>
HF_DEVICE T shuffle(T value, int lane, uint32_t mask, Site) {
    return __shfl_sync(mask, value, lane);
}

HF_DEVICE uint32_t vote(bool predicate, uint32_t mask, Site) { return __ballot_sync(mask, predicate); }

// --------------------------------------------------------------------------------------------------------------- global memory

/// CUDA's type for a load or store of so many bytes.
template <size_t bytes>
struct Word;
template <>
struct Word<1> {
    using Type = unsigned char;
};
template <>
struct Word<2> {
    using Type = unsigned short;
};
template <>
struct Word<4> {
    using Type = unsigned int;
};
template <>
struct Word<8> {
    using Type = uint2;
};
template <>
struct Word<16> {
    using Type = uint4;
};
template <typename T>
using WordOf = typename Word<sizeof(T)>::Type;

template <typename T>
HF_DEVICE T load_cached(const T *source, Site) {
    return bits_as<T>(__ldcg(reinterpret_cast<const WordOf<T> *>(source)));
}

template <typename T>
HF_DEVICE T load_streaming(const T *source, Site) {
    return bits_as<T>(__ldcs(reinterpret_cast<const WordOf<T> *>(source)));
}

template <typename T>
HF_DEVICE void store_cached(T *target, T value, Site) {
    __stcg(reinterpret_cast<WordOf<T> *>(target), bits_as<WordOf<T>>(value));
}

template <typename T>
HF_DEVICE void store_streaming(T *target, T value, Site) {
    __stcs(reinterpret_cast<WordOf<T> *>(target), bits_as<WordOf<T>>(value));
}

template <typename T>
HF_DEVICE T atomic_add(T *target, T value, Site) {
    return atomicAdd(target, value);
}

// ---------------------------------------------------------------------------------------------------------------- asynchronous copies

template <int bytes>
HF_DEVICE void async_copy(void *shared_target, const void *source, Site) {
    static_assert(bytes == 4 || bytes == 8 || bytes == 16, "async_copy: expected 4, 8 or 16 bytes");
    if constexpr (bytes == 16) {
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared_address(shared_target)), "l"(source) : "memory");
    } else {
        asm volatile("cp.async.ca.shared.global [%0], [%1], %2;" ::"r"(shared_address(shared_target)), "l"(source), "n"(bytes) : "memory");
    }
}

HF_DEVICE void async_commit(Site) { asm volatile("cp.async.commit_group;" ::: "memory"); }

template <int pending>
HF_DEVICE void async_wait(Site) {
    asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}

HF_DEVICE void barrier_init(TransactionBarrier *barrier, int arrivals, Site) {
    HF_PTX_90("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(arrivals) : "memory");
}

HF_DEVICE void fence_async(Site) { HF_PTX_90("fence.proxy.async.shared::cta;" ::: "memory"); }

HF_DEVICE void barrier_expect(TransactionBarrier *barrier, int bytes, Site) {
    HF_PTX_90("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)), "r"(bytes) : "memory");
}

HF_DEVICE void barrier_arrive(TransactionBarrier *barrier, Site) {
    HF_PTX_90("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier)) : "memory");
}

HF_DEVICE void barrier_wait(TransactionBarrier *barrier, int parity, Site) {
    HF_PTX_90(
        "{\n"
        ".reg .pred done;\n"
        "again:\n"
        "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
        "@!done bra again;\n"
        "}\n" ::"r"(shared_address(barrier)),
        "r"(parity)
        : "memory");
}

HF_DEVICE void bulk_load(void *shared_target, const void *source, int bytes, TransactionBarrier *barrier, Site) {
    HF_PTX_90(
        "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(shared_address(shared_target)),
        "l"(source), "r"(bytes), "r"(shared_address(barrier))
        : "memory");
}

HF_DEVICE void bulk_store(void *target, const void *shared_source, int bytes, Site) {
    HF_PTX_90("cp.async.bulk.global.shared::cta.bulk_group [%0], [%1], %2;" ::"l"(target), "r"(shared_address(shared_source)), "r"(bytes)
              : "memory");
}

HF_DEVICE void bulk_commit(Site) { HF_PTX_90("cp.async.bulk.commit_group;" ::: "memory"); }

template <int pending>
HF_DEVICE void bulk_wait_read(Site) {
    HF_PTX_90("cp.async.bulk.wait_group.read %0;" ::"n"(pending) : "memory");
}

// ---------------------------------------------------------------------------------------------------------------------- arithmetic

HF_DEVICE float fast_exp2(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

HF_DEVICE float fast_log2(float x) {
    float y;
    asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

HF_DEVICE Float2 widen_bfloat16(uint32_t pair) { return {__uint_as_float(pair << 16), __uint_as_float(pair & 0xffff0000u)}; }

HF_DEVICE Float2 widen_float16(uint32_t pair) {
    Float2 values;
    asm("{\n"
        ".reg .b16 low, high;\n"
        "mov.b32 {low, high}, %2;\n"
        "cvt.f32.f16 %0, low;\n"
        "cvt.f32.f16 %1, high;\n"
        "}\n"
        : "=f"(values.x), "=f"(values.y)
        : "r"(pair));
    return values;
}

HF_DEVICE uint32_t narrow_bfloat16(Float2 values) {
    uint32_t pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(values.y), "f"(values.x));
    return pair;
}

HF_DEVICE uint32_t narrow_float16(Float2 values) {
    uint32_t pair;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(values.y), "f"(values.x));
    return pair;
}

HF_DEVICE float max_or_nan(float a, float b) {
    asm("max.NaN.f32 %0, %0, %1;" : "+f"(a) : "f"(b));
    return a;
}

HF_DEVICE float min_or_nan(float a, float b) {
    asm("min.NaN.f32 %0, %0, %1;" : "+f"(a) : "f"(b));
    return a;
}

HF_DEVICE uint32_t max_or_nan_bfloat16(uint32_t a, uint32_t b) {
    asm("max.NaN.bf16x2 %0, %0, %1;" : "+r"(a) : "r"(b));
    return a;
}

HF_DEVICE uint32_t min_or_nan_bfloat16(uint32_t a, uint32_t b) {
    asm("min.NaN.bf16x2 %0, %0, %1;" : "+r"(a) : "r"(b));
    return a;
}

HF_DEVICE uint32_t max_or_nan_float16(uint32_t a, uint32_t b) {
    asm("max.NaN.f16x2 %0, %0, %1;" : "+r"(a) : "r"(b));
    return a;
}

HF_DEVICE uint32_t min_or_nan_float16(uint32_t a, uint32_t b) {
    asm("min.NaN.f16x2 %0, %0, %1;" : "+r"(a) : "r"(b));
    return a;
}

// --------------------------------------------------------------------------------------------------------------------------- host

inline hf_status status_of(cudaError_t error) {
    switch (error) {
        case cudaSuccess:
            return HF_OK;
        case cudaErrorMemoryAllocation:
            return HF_OUT_OF_MEMORY;
        case cudaErrorNoDevice:
        case cudaErrorInsufficientDriver:
        case cudaErrorNoKernelImageForDevice:
        case cudaErrorUnsupportedPtxVersion:
            return HF_UNSUPPORTED;
        case cudaErrorInvalidValue:
        case cudaErrorInvalidConfiguration:
        case cudaErrorInvalidDeviceFunction:
            return HF_INTERNAL;  // the shapes are Holdfast's own
        default:
            return HF_DEVICE_FAILURE;
    }
}

/// Also takes the error out of the runtime, where the caller's next check would find it.
inline Outcome outcome_of(cudaError_t error) {
    if (error == cudaSuccess) {
        return {};
    }
    cudaGetLastError();
    return {status_of(error), cudaGetErrorString(error)};
}

inline Outcome query(DeviceProperties *properties) {
    int major = 0, minor = 0;
    const std::pair<cudaDeviceAttr, int *> wanted[] = {
        {cudaDevAttrComputeCapabilityMajor, &major},
        {cudaDevAttrComputeCapabilityMinor, &minor},
        {cudaDevAttrMultiProcessorCount, &properties->multiprocessors},
        {cudaDevAttrMaxSharedMemoryPerBlockOptin, &properties->shared_bytes_per_block},
        {cudaDevAttrMaxSharedMemoryPerMultiprocessor, &properties->shared_bytes_per_multiprocessor}};
    int device = 0;
    cudaError_t error = cudaGetDevice(&device);
    for (const auto &[attribute, value] : wanted) {
        error = error == cudaSuccess ? cudaDeviceGetAttribute(value, attribute, device) : error;
    }
    properties->architecture = 10 * major + minor;
    return outcome_of(error);
}

/// Lets a kernel have more shared memory and larger clusters than every device grants.
inline cudaError_t opt_in(const void *kernel, const LaunchShape &shape) {
    constexpr size_t GRANTED_BYTES = 48 << 10;
    constexpr int PORTABLE_CLUSTER = 8;
    cudaError_t error = cudaSuccess;
    if (shape.shared_bytes > GRANTED_BYTES) {
        error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shape.shared_bytes));
    }
    if (error == cudaSuccess && shape.cluster > PORTABLE_CLUSTER) {
        error = cudaFuncSetAttribute(kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1);
    }
    return error;
}

template <typename... Parameters, typename... Arguments>
Outcome launch(void (*kernel)(Parameters...), const LaunchShape &shape, void *stream, Arguments &&...arguments) {
    const cudaError_t error = opt_in(reinterpret_cast<const void *>(kernel), shape);
    if (error != cudaSuccess) {
        return outcome_of(error);
    }
    cudaLaunchAttribute cluster{};
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim = {static_cast<unsigned>(shape.cluster), 1, 1};
    cudaLaunchConfig_t config{};
    config.gridDim = dim3(static_cast<unsigned>(shape.blocks));
    config.blockDim = dim3(static_cast<unsigned>(shape.threads));
    config.dynamicSmemBytes = shape.shared_bytes;
    config.stream = static_cast<cudaStream_t>(stream);
    config.attrs = &cluster;
    config.numAttrs = shape.cluster > 1 ? 1 : 0;
    return outcome_of(cudaLaunchKernelEx(&config, kernel, std::forward<Arguments>(arguments)...));
}

}  // namespace holdfast::device
