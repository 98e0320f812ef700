// The library of matrix products, opened at run time: neither its headers nor its file are needed to build this one.
#pragma once

#include <cstdint>

namespace holdfast {

/// The functions of oneDNN 3 that are used; all are row-major and safe to call from many threads.
struct MatrixLibrary {
    using Dimension = int64_t;
    using Status = int;  // 0 = success

    static constexpr Status OUT_OF_MEMORY = 1;

    Status (*sgemm)(char transa, char transb, Dimension m, Dimension n, Dimension k, float alpha, const float *a, Dimension lda,
                    const float *b, Dimension ldb, float beta, float *c, Dimension ldc);
    /// Not in oneDNN's headers, but exported by every release of version 3; NULL if this one has it not.
    Status (*gemm_bf16)(char transa, char transb, Dimension m, Dimension n, Dimension k, float alpha, const uint16_t *a, Dimension lda,
                        const uint16_t *b, Dimension ldb, float beta, float *c, Dimension ldc);
    /// OpenMP's, of the copy that the library uses; both NULL if it was built without threads.
    int (*omp_get_max_threads)();
    void (*omp_set_num_threads)(int count);
    char name[48];
};

/// NULL if none is open.
const MatrixLibrary *matrix_library();

/// Keeps the library from starting threads of its own while it works for the calling thread: the tasks are the executor's.
class OneThread {
public:
    explicit OneThread(const MatrixLibrary &library) : library_(library) {
        if (library.omp_set_num_threads != nullptr) {
            before_ = library.omp_get_max_threads();
            library.omp_set_num_threads(1);
        }
    }
    ~OneThread() {
        if (library_.omp_set_num_threads != nullptr) {
            library_.omp_set_num_threads(before_);
        }
    }
    OneThread(const OneThread &) = delete;
    OneThread &operator=(const OneThread &) = delete;

private:
    const MatrixLibrary &library_;
    int before_ = 1;
};

}  // namespace holdfast
