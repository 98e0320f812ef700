#include "product/library.hpp"

#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <mutex>
#include <string>

#include "core/error.hpp"
#include "holdfast/matrix_product.h"

namespace holdfast {
namespace {

/// The head of oneDNN's dnnl_version_t.
struct Version {
    int major, minor, patch;
    const char *hash;
    unsigned cpu_runtime;
};

/// Of cpu_runtime. The others bring threads of their own, which OneThread cannot hold back.
constexpr unsigned SEQUENTIAL = 1, OPENMP = 2;

std::atomic<const MatrixLibrary *> opened{nullptr};
std::mutex opening;
std::string opened_path;

template <class Function>
void find(void *handle, const char *name, Function &function) {
    function = reinterpret_cast<Function>(dlsym(handle, name));
}

hf_status refuse(const char *path, const char *why) {
    return fail(HF_UNSUPPORTED, "path: expected oneDNN 3 (libdnnl.so.3), got %s: %s", path, why);
}

hf_status read(const char *path, void *handle, MatrixLibrary &library) {
    const Version *(*version)() = nullptr;
    find(handle, "dnnl_version", version);
    find(handle, "dnnl_sgemm", library.sgemm);
    find(handle, "dnnl_gemm_bf16bf16f32", library.gemm_bf16);
    find(handle, "omp_get_max_threads", library.omp_get_max_threads);
    find(handle, "omp_set_num_threads", library.omp_set_num_threads);
    if (version == nullptr || library.sgemm == nullptr) {
        return refuse(path, "it lacks dnnl_version or dnnl_sgemm");
    }
    const Version found = *version();
    std::snprintf(library.name, sizeof library.name, "oneDNN %d.%d.%d", found.major, found.minor, found.patch);
    if (found.major != 3) {
        return refuse(path, library.name);
    }
    const bool steerable = library.omp_get_max_threads != nullptr && library.omp_set_num_threads != nullptr;
    if (found.cpu_runtime == SEQUENTIAL) {
        library.omp_set_num_threads = nullptr;
        return HF_OK;
    }
    return found.cpu_runtime == OPENMP && steerable ? HF_OK : refuse(path, "it has threads that cannot be held back");
}

}  // namespace

const MatrixLibrary *matrix_library() { return opened.load(std::memory_order_acquire); }

}  // namespace holdfast

using namespace holdfast;

extern "C" hf_status hf_open_matrix_library(const char *path) {
    if (path == nullptr) {
        return fail(HF_INVALID_ARGUMENT, "path: expected the file of a library, got NULL");
    }
    const std::lock_guard<std::mutex> lock(opening);
    if (opened != nullptr) {
        return opened_path == path ? HF_OK
                                   : fail(HF_INVALID_ARGUMENT, "path: expected %s, which is open, got %s", opened_path.c_str(), path);
    }
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
        return refuse(path, dlerror());
    }
    MatrixLibrary library{};
    const hf_status status = read(path, handle, library);
    if (status != HF_OK) {
        dlclose(handle);
        return status;
    }
    opened_path = path;
    opened = new MatrixLibrary(library);  // for the life of the process
    return HF_OK;
}

extern "C" const char *hf_matrix_library(void) {
    const MatrixLibrary *library = matrix_library();
    return library == nullptr ? nullptr : library->name;
}

extern "C" int32_t hf_multiplies(int32_t element_type) {
    const MatrixLibrary *library = matrix_library();
    if (library == nullptr) {
        return 0;
    }
    if (element_type == HF_BFLOAT16) {
        __builtin_cpu_init();
        return library->gemm_bf16 != nullptr && __builtin_cpu_supports("avx512bf16") ? 1 : 0;
    }
    return element_type == HF_FLOAT ? 1 : 0;
}
