#include "product/library.hpp"

#include <cstdio>

#include "core/opened_library.hpp"
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

const char *read(void *handle, MatrixLibrary &library) {
    const Version *(*version)() = nullptr;
    find_function(handle, "dnnl_version", version);
    find_function(handle, "dnnl_sgemm", library.sgemm);
    find_function(handle, "dnnl_gemm_bf16bf16f32", library.gemm_bf16);
    find_function(handle, "omp_get_max_threads", library.omp_get_max_threads);
    find_function(handle, "omp_set_num_threads", library.omp_set_num_threads);
    if (version == nullptr || library.sgemm == nullptr) {
        return "it lacks dnnl_version or dnnl_sgemm";
    }
    const Version found = *version();
    std::snprintf(library.name, sizeof library.name, "oneDNN %d.%d.%d", found.major, found.minor, found.patch);
    if (found.major != 3) {
        return library.name;
    }
    const bool steerable = library.omp_get_max_threads != nullptr && library.omp_set_num_threads != nullptr;
    if (found.cpu_runtime == SEQUENTIAL) {
        library.omp_set_num_threads = nullptr;
        return nullptr;
    }
    return found.cpu_runtime == OPENMP && steerable ? nullptr : "it has threads that cannot be held back";
}

OpenedLibrary<MatrixLibrary> opened("oneDNN 3 (libdnnl.so.3)", read);

}  // namespace

const MatrixLibrary *matrix_library() { return opened.get(); }

}  // namespace holdfast

using namespace holdfast;

extern "C" hf_status hf_open_matrix_library(const char *path) { return opened.open(path); }

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
