// The way to the CUDA half: what is checked before its table is called, what it is given, what comes back. The table is a fake.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "fake_cuda_library.hpp"

namespace {

using holdfast::testing::FakeCuda;

constexpr const char *FAKE = HOLDFAST_FAKE_CUDA_LIBRARY;
constexpr const char *OTHER_VERSION = HOLDFAST_OTHER_CUDA_LIBRARY;

/// Everything that hf_anchor_loss is given, valid at first.
struct Call {
    int64_t rows = 2;
    float student_rows[16] = {}, snapshot_rows[16] = {}, reference_rows[16] = {}, gradient_rows[16] = {};
    float token_loss[2] = {}, weights[2] = {1, 1}, alphas[2] = {0.5f, 0.5f};
    int64_t label_values[2] = {0, 1};
    alignas(16) char memory[64] = {};
    hf_anchor_loss_options options{sizeof options, HF_JSD, HF_INTERPOLATION_LOGIT, HF_LABEL_WEIGHTING_NONE, 1, 1, 0, 0.5f};
    hf_logits student{sizeof student, student_rows, 8, 8, HF_FLOAT};
    hf_logits snapshot{sizeof snapshot, snapshot_rows, 8, 8, HF_FLOAT};
    hf_logits reference{sizeof reference, reference_rows, 8, 8, HF_FLOAT};
    hf_anchor_loss_tokens tokens{sizeof tokens, label_values, weights, alphas};
    hf_anchor_loss_outputs outputs{sizeof outputs, token_loss, nullptr, gradient_rows, 8, HF_FLOAT, HF_GRADIENT_OVERWRITE};
    void *workspace = memory;
    size_t workspace_bytes = sizeof memory;
    void *stream = nullptr;

    hf_status run(int32_t backend) {
        return hf_anchor_loss(backend, rows, &options, &student, &snapshot, &reference, &tokens, &outputs, workspace, workspace_bytes,
                              nullptr, stream);
    }
};

/// Runs first, while nothing is open.
TEST(CudaLibrary, IsOpenedOnceAndOnlyIfItIsTheRightOne) {
    if (hf_cuda_library() != nullptr) {
        GTEST_SKIP() << "another test of this process has opened the library";
    }
    Call call;
    EXPECT_EQ(HF_UNSUPPORTED, call.run(HF_BACKEND_CUDA));
    EXPECT_STREQ(
        "backend: expected the reference (0) or the CPU (1), got CUDA (2), whose kernels are not open; open libholdfast_cuda.so with "
        "hf_open_cuda_library first",
        hf_last_error());
    void *memory = nullptr;
    EXPECT_EQ(HF_UNSUPPORTED, hf_cuda_allocate(8, &memory));

    EXPECT_EQ(HF_INVALID_ARGUMENT, hf_open_cuda_library(nullptr));
    const std::string expected = "path: expected Holdfast's CUDA kernels (libholdfast_cuda.so), got ";
    EXPECT_EQ(HF_UNSUPPORTED, hf_open_cuda_library("/nowhere/libholdfast_cuda.so"));
    EXPECT_EQ(0u, std::string(hf_last_error()).find(expected + "/nowhere/libholdfast_cuda.so: "));
    EXPECT_EQ(HF_UNSUPPORTED, hf_open_cuda_library("libm.so.6"));
    EXPECT_EQ(expected + "libm.so.6: it lacks hf_cuda_backend", hf_last_error());
    EXPECT_EQ(HF_UNSUPPORTED, hf_open_cuda_library(OTHER_VERSION));
    EXPECT_EQ(expected + OTHER_VERSION + ": it is of another version; build both libraries from the same sources", hf_last_error());
    EXPECT_EQ(nullptr, hf_cuda_library());

    EXPECT_EQ(HF_OK, hf_open_cuda_library(FAKE)) << hf_last_error();
    EXPECT_STREQ("a fake", hf_cuda_library());
    EXPECT_EQ(HF_OK, hf_open_cuda_library(FAKE));
    EXPECT_EQ(HF_INVALID_ARGUMENT, hf_open_cuda_library(OTHER_VERSION));
    EXPECT_EQ(std::string("path: expected ") + FAKE + ", which is open, got " + OTHER_VERSION, hf_last_error());
}

class CudaSeam : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_EQ(HF_OK, hf_open_cuda_library(FAKE)) << hf_last_error();
        auto find = reinterpret_cast<decltype(holdfast::testing::fake_cuda) *>(dlsym(dlopen(FAKE, RTLD_NOW), "fake_cuda"));
        ASSERT_NE(nullptr, find);
        fake = find();
        *fake = FakeCuda();
    }

    void answer(hf_status status, const char *message) const {
        fake->answer.status = status;
        std::strcpy(fake->answer.message, message);
    }

    FakeCuda *fake = nullptr;
};

TEST_F(CudaSeam, HandsOverWhatWasChecked) {
    Call call;
    int stream = 0;
    call.stream = &stream;
    fake->workspace_bytes = 48;
    ASSERT_EQ(HF_OK, call.run(HF_BACKEND_CUDA)) << hf_last_error();
    EXPECT_EQ(1, fake->calls);
    EXPECT_EQ(2, fake->loss.token_count);
    EXPECT_EQ(HF_JSD, fake->loss.options.divergence);
    EXPECT_EQ(call.student_rows, fake->loss.student.data);
    EXPECT_EQ(call.snapshot_rows, fake->loss.snapshot.data);
    EXPECT_EQ(call.reference_rows, fake->loss.reference.data);
    EXPECT_EQ(call.alphas, fake->loss.tokens.alphas);
    EXPECT_EQ(call.gradient_rows, fake->loss.outputs.student_gradient);
    EXPECT_EQ(call.memory, fake->workspace);
    EXPECT_EQ(sizeof call.memory, fake->given_workspace_bytes);
    EXPECT_EQ(&stream, fake->stream);
    call.snapshot = call.student;
    ASSERT_EQ(HF_OK, call.run(HF_BACKEND_CUDA));
    EXPECT_FALSE(fake->loss.has_snapshot());
}

TEST_F(CudaSeam, DoesNotTouchWhatLiesOnTheDevice) {
    void *nobody_may_read = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(MAP_FAILED, nobody_may_read);
    auto place = [next = static_cast<char *>(nobody_may_read)]() mutable { return next += 128; };
    Call call;
    call.student.data = place();
    call.snapshot.data = place();
    call.reference.data = place();
    call.tokens = {sizeof(hf_anchor_loss_tokens), reinterpret_cast<int64_t *>(place()), reinterpret_cast<float *>(place()),
                   reinterpret_cast<float *>(place())};
    call.outputs.token_loss = reinterpret_cast<float *>(place());
    call.outputs.statistics = reinterpret_cast<float *>(place());
    call.outputs.student_gradient = place();
    call.workspace = place();
    fake->workspace_bytes = 16;
    EXPECT_EQ(HF_OK, call.run(HF_BACKEND_CUDA)) << hf_last_error();
    EXPECT_EQ(HF_OK, hf_anchor_loss_sum(HF_BACKEND_CUDA, 2, &call.tokens, call.outputs.token_loss, call.outputs.statistics, nullptr));
    EXPECT_EQ(2, fake->calls);
    munmap(nobody_may_read, 4096);
}

TEST_F(CudaSeam, RefusesInTheWordsOfTheCpu) {
    const std::vector<std::function<void(Call &)>> faults = {
        [](Call &c) { c.rows = -1; },
        [](Call &c) { c.options.temperature = 0; },
        [](Call &c) { c.options.struct_size = 8; },
        [](Call &c) { c.student.data = nullptr; },
        [](Call &c) { c.student.vocabulary_size = 0; },
        [](Call &c) { c.snapshot.row_stride = 7; },
        [](Call &c) { c.reference.element_type = HF_FLOAT16 + 1; },
        [](Call &c) { c.reference.data = reinterpret_cast<char *>(c.reference_rows) + 1; },
        [](Call &c) { c.tokens.labels = nullptr; },
        [](Call &c) { c.tokens.weights = nullptr; },
        [](Call &c) { c.tokens.alphas = nullptr; },
        [](Call &c) { c.outputs.gradient_mode = 3; },
        [](Call &c) { c.outputs.student_gradient = nullptr; },
        [](Call &c) { c.outputs.gradient_stride = 7; },
        [](Call &c) { c.outputs.token_loss = c.student_rows + 1; },
        [](Call &c) { c.outputs.student_gradient = c.student_rows + 1; },
        [](Call &c) { c.outputs.student_gradient = c.snapshot_rows; },
        [](Call &c) { c.outputs.statistics = c.gradient_rows; },
    };
    for (const auto &fault : faults) {
        Call call;
        fault(call);
        ASSERT_EQ(HF_INVALID_ARGUMENT, call.run(HF_BACKEND_CPU));
        const std::string words = hf_last_error();
        EXPECT_EQ(HF_INVALID_ARGUMENT, call.run(HF_BACKEND_CUDA)) << words;
        EXPECT_EQ(words, hf_last_error());
    }
    EXPECT_EQ(0, fake->calls);
}

TEST_F(CudaSeam, RefusesAWorkspaceThatDoesNotDo) {
    fake->workspace_bytes = 48;
    auto refusal = [](auto change) {
        Call call;
        change(call);
        EXPECT_EQ(HF_INVALID_ARGUMENT, call.run(HF_BACKEND_CUDA));
        return std::string(hf_last_error());
    };
    EXPECT_EQ("workspace_bytes: expected at least 48, got 47", refusal([](Call &c) { c.workspace_bytes = 47; }));
    EXPECT_EQ("workspace: expected a pointer aligned to 16 bytes, got (nil)", refusal([](Call &c) { c.workspace = nullptr; }));
    EXPECT_EQ(0u, refusal([](Call &c) { c.workspace = c.memory + 8; }).find("workspace: expected a pointer aligned to 16 bytes, got "));
    EXPECT_EQ("workspace: expected memory apart from reference, got an overlap", refusal([](Call &c) { c.reference.data = c.memory; }));
    EXPECT_EQ("workspace: expected memory apart from outputs.student_gradient, got an overlap",
              refusal([](Call &c) { c.outputs.student_gradient = c.memory; }));
    EXPECT_EQ(0, fake->calls);
    size_t bytes = 0;
    Call call;
    EXPECT_EQ(HF_OK, hf_anchor_loss_workspace_bytes(HF_BACKEND_CUDA, 2, &call.student, &call.snapshot, nullptr, &bytes));
    EXPECT_EQ(48u, bytes);
    EXPECT_TRUE(fake->loss.has_snapshot());
    EXPECT_FALSE(fake->loss.has_reference());
    EXPECT_EQ(HF_INVALID_ARGUMENT, hf_anchor_loss_workspace_bytes(HF_BACKEND_CUDA, -1, &call.student, nullptr, nullptr, &bytes));
}

TEST_F(CudaSeam, LeavesTheDeviceAloneWithoutTokens) {
    Call call;
    call.rows = 0;
    answer(HF_DEVICE_FAILURE, "called");
    EXPECT_EQ(HF_OK, call.run(HF_BACKEND_CUDA));
    EXPECT_EQ(0, fake->calls);
}

TEST_F(CudaSeam, PassesFailuresOnWithTheirMessage) {
    Call call;
    answer(HF_DEVICE_FAILURE, "cudaLaunchKernelExC: an illegal memory access was encountered, 100 % lost");
    EXPECT_EQ(HF_DEVICE_FAILURE, call.run(HF_BACKEND_CUDA));
    EXPECT_STREQ("cudaLaunchKernelExC: an illegal memory access was encountered, 100 % lost", hf_last_error());
    answer(HF_OUT_OF_MEMORY, "cudaMalloc: out of memory");
    void *memory = nullptr;
    EXPECT_EQ(HF_OUT_OF_MEMORY, hf_cuda_allocate(1, &memory));
    EXPECT_STREQ("cudaMalloc: out of memory", hf_last_error());
}

TEST_F(CudaSeam, ReachesMemoryAndClock) {
    void *memory = &memory;
    EXPECT_EQ(HF_OK, hf_cuda_allocate(0, &memory));
    EXPECT_EQ(nullptr, memory);
    EXPECT_EQ(HF_OK, hf_cuda_free(nullptr));
    EXPECT_EQ(HF_OK, hf_cuda_copy(nullptr, nullptr, 0, nullptr));
    EXPECT_EQ(0, fake->calls) << "nothing is to be done for nothing";

    EXPECT_EQ(HF_OK, hf_cuda_allocate(77, &memory));
    EXPECT_EQ(fake, memory);
    EXPECT_EQ(77u, fake->bytes);
    char source = 0, stream = 0;
    EXPECT_EQ(HF_OK, hf_cuda_copy(memory, &source, 5, &stream));
    EXPECT_EQ(memory, fake->target);
    EXPECT_EQ(&source, fake->source);
    EXPECT_EQ(5u, fake->bytes);
    EXPECT_EQ(&stream, fake->stream);
    void *timer = nullptr;
    float milliseconds = 0;
    EXPECT_EQ(HF_OK, hf_cuda_start_timer(&stream, &timer));
    EXPECT_EQ(HF_OK, hf_cuda_stop_timer(timer, &stream, &milliseconds));
    EXPECT_EQ(timer, fake->target);
    EXPECT_EQ(1.5f, milliseconds);
    EXPECT_EQ(HF_OK, hf_cuda_synchronize(&stream));
    hf_cuda_device device{};
    EXPECT_EQ(HF_INVALID_ARGUMENT, hf_cuda_current_device(&device));
    device.struct_size = sizeof device;
    EXPECT_EQ(HF_OK, hf_cuda_current_device(&device));
    EXPECT_STREQ("a fake", device.name);
}

}  // namespace
