// What the suites share: the implementations and whether this machine can run them, random numbers, an executor of one's own.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "emulated_device.hpp"
#include "holdfast/holdfast.h"
#include "holdfast/matrix_product.h"

namespace holdfast::testing {

using Floats = std::vector<float>;

struct Implementation {
    int32_t backend;
    const char *instruction_set;
    const char *name;
    int architecture = 0;  // of the emulated device, for HF_BACKEND_CUDA
};

inline void PrintTo(const Implementation &implementation, std::ostream *out) { *out << implementation.name; }

inline const Implementation REFERENCE = {HF_BACKEND_REFERENCE, "native", "reference"};

/// The CPU kernels, one implementation per instruction set.
inline std::vector<Implementation> cpu_implementations() {
    return {{HF_BACKEND_CPU, "baseline", "baseline"}, {HF_BACKEND_CPU, "avx2", "avx2"}, {HF_BACKEND_CPU, "avx512", "avx512"}};
}

inline std::vector<Implementation> all_implementations() {
    std::vector<Implementation> all = cpu_implementations();
    all.insert(all.begin(), REFERENCE);
    return all;
}

/// The CUDA kernels on emulated devices: one without and one with clusters, which have kernels of their own.
inline std::vector<Implementation> cuda_implementations() {
    return {{HF_BACKEND_CUDA, "native", "cuda_80", 80}, {HF_BACKEND_CUDA, "native", "cuda_90", 90}};
}

inline std::vector<Implementation> with_cuda(std::vector<Implementation> all) {
    for (const Implementation &implementation : cuda_implementations()) {
        all.push_back(implementation);
    }
    return all;
}

inline std::string name_of(const ::testing::TestParamInfo<Implementation> &info) { return info.param.name; }

/// Caps the instruction set while it lives, or sets the emulated device.
class Capped {
public:
    explicit Capped(const char *instruction_set) { EXPECT_EQ(HF_OK, hf_cap_cpu_instruction_set(instruction_set)); }
    explicit Capped(const Implementation &implementation) : Capped(implementation.instruction_set) {
        if (implementation.backend == HF_BACKEND_CUDA) {
            emulate(implementation.architecture);
        }
    }
    ~Capped() { hf_cap_cpu_instruction_set("native"); }
    Capped(const Capped &) = delete;
    Capped &operator=(const Capped &) = delete;
};

/// A suite that runs once per implementation. One that this machine lacks is skipped: under its name another would run.
class EveryImplementation : public ::testing::TestWithParam<Implementation> {
protected:
    void SetUp() override {
        const Capped cap(GetParam());
        const std::string chosen = hf_cpu_instruction_set(), wanted = GetParam().instruction_set;
        if (wanted != "native" && wanted != chosen) {
            GTEST_SKIP() << "this machine's processor does not have " << wanted << "; the most it has is " << chosen;
        }
    }
};

/// Opens the library of matrix products that the environment names; false if it names none or that cannot be opened.
inline bool open_matrix_library() {
    const char *path = std::getenv("HOLDFAST_MATRIX_LIBRARY");
    return path != nullptr && hf_open_matrix_library(path) == HF_OK;
}

inline Floats random_floats(std::mt19937 &random, int64_t count, float spread = 1) {
    std::normal_distribution<float> normal(0, spread);
    Floats values(static_cast<size_t>(count));
    for (float &value : values) {
        value = normal(random);
    }
    return values;
}

/// Runs tasks in the calling thread, the last one first, and counts them.
class BackwardExecutor {
public:
    const hf_executor *get() const { return &executor_; }
    int64_t tasks() const { return tasks_; }

    BackwardExecutor() = default;
    BackwardExecutor(const BackwardExecutor &) = delete;
    BackwardExecutor &operator=(const BackwardExecutor &) = delete;

private:
    static void run(void *context, int64_t count, hf_task task, void *task_context) {
        static_cast<BackwardExecutor *>(context)->tasks_ += count;
        for (int64_t i = count - 1; i >= 0; --i) {
            task(task_context, i);
        }
    }

    int64_t tasks_ = 0;
    hf_executor executor_{sizeof(hf_executor), this, run, 4};
};

}  // namespace holdfast::testing
