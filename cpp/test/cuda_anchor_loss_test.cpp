// What the CUDA kernels of the anchor loss promise beyond the contract that all implementations share: the plan of their launches, what
// they move, and the same bits in whatever order threads run and copies land.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "cuda/launch_plan.hpp"
#include "simd/element.hpp"
#include "support.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::testing;
using cuda::AnchorKind;
using cuda::LaunchPlan;
using cuda::Path;
using emulator::Access;
using emulator::Completion;
using emulator::Order;
using emulator::Schedule;

/// Rows of elements of one type, whose first element lies `shift` elements after a multiple of 16 bytes.
class Matrix {
public:
    Matrix(int64_t rows, int64_t columns, int64_t stride, int32_t type, int64_t shift)
        : columns_(columns),
          stride_(stride),
          type_(type),
          shift_(shift),
          bytes_(static_cast<size_t>((rows * stride + shift) * element_bytes(type))) {}

    void *data() { return bytes_.data() + shift_ * element_bytes(type_); }
    float at(int64_t row, int64_t column) const { return element_at(bytes_.data(), type_, shift_ + row * stride_ + column); }
    void put(int64_t row, int64_t column, float value) { put_element(bytes_.data(), type_, shift_ + row * stride_ + column, value); }
    hf_logits logits() { return {sizeof(hf_logits), data(), columns_, stride_, type_}; }
    int64_t stride() const { return stride_; }
    int32_t type() const { return type_; }

private:
    int64_t columns_, stride_;
    int32_t type_;
    int64_t shift_;
    std::vector<unsigned char> bytes_;
    static_assert(__STDCPP_DEFAULT_NEW_ALIGNMENT__ % 16 == 0, "bytes begin at a multiple of 16");
};

/// How rows are kept; the gradient may have a type and a place of its own.
struct Layout {
    int32_t type;
    int64_t padding;  // elements between rows
    int64_t shift;    // of the first row against 16 bytes
    int32_t snapshot_type;
    int32_t gradient_type;
    int64_t gradient_shift;
};

/// A random problem, the memory of its results, and the call.
struct Problem {
    int64_t rows, width;
    Matrix student, snapshot, reference, gradient;
    std::vector<int64_t> labels;
    std::vector<float> weights, alphas, loss, statistics;
    hf_anchor_loss_options options{
        sizeof(hf_anchor_loss_options), HF_FORWARD_KL, HF_INTERPOLATION_LOGIT, HF_LABEL_WEIGHTING_NONE, 1, 1, 0, 0.5f};
    int32_t gradient_mode = HF_GRADIENT_OVERWRITE;

    /// The student differs from the snapshot by about `nearness`, the reference by about 1.
    Problem(int64_t rows_, int64_t width_, const Layout &layout, float nearness = 0.5f)
        : rows(rows_),
          width(width_),
          student(rows, width, width + layout.padding, layout.type, layout.shift),
          snapshot(rows, width, width + layout.padding, layout.snapshot_type, layout.shift),
          reference(rows, width, width + layout.padding, layout.type, layout.shift),
          gradient(rows, width, width + layout.padding, layout.gradient_type, layout.gradient_shift),
          loss(static_cast<size_t>(rows), -7.0f),
          statistics(static_cast<size_t>(rows * HF_STATISTICS_COUNT), -7.0f) {
        std::mt19937 random(static_cast<uint32_t>(width));
        std::normal_distribution<float> normal;
        for (int64_t row = 0; row < rows; ++row) {
            for (int64_t v = 0; v < width; ++v) {
                const float c = 3 * normal(random);
                snapshot.put(row, v, c);
                student.put(row, v, snapshot.at(row, v) + nearness * normal(random));
                reference.put(row, v, c + normal(random));
                gradient.put(row, v, 0.0f);
            }
            labels.push_back(static_cast<int64_t>(random() % width));
            weights.push_back(0.5f);
            alphas.push_back(static_cast<float>(row % 5) / 4);
        }
    }

    hf_status run(int32_t backend) {
        const hf_logits s = student.logits(), c = snapshot.logits(), r = reference.logits();
        const hf_anchor_loss_tokens tokens{sizeof tokens, labels.data(), weights.data(), alphas.data()};
        const hf_anchor_loss_outputs outputs{sizeof outputs,    loss.data(),     statistics.data(), gradient.data(),
                                             gradient.stride(), gradient.type(), gradient_mode};
        return hf_anchor_loss(backend, rows, &options, &s, &c, &r, &tokens, &outputs, nullptr, 0, nullptr, nullptr);
    }

    std::vector<float> gradients() const {
        std::vector<float> values;
        for (int64_t row = 0; row < rows; ++row) {
            for (int64_t v = 0; v < width; ++v) {
                values.push_back(gradient.at(row, v));
            }
        }
        return values;
    }
};

constexpr Layout plain(int32_t type) { return {type, 0, 0, type, type, 0}; }

double norm_of_difference(const std::vector<float> &a, const std::vector<float> &b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) {
        sum += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    }
    return std::sqrt(sum);
}

/// Error of the gradients relative to those of the reference in double, both in the gradient's type.
double gradient_error(Problem problem) {
    Problem truth = problem;
    EXPECT_EQ(HF_OK, truth.run(HF_BACKEND_REFERENCE)) << hf_last_error();
    EXPECT_EQ(HF_OK, problem.run(HF_BACKEND_CUDA)) << hf_last_error();
    const std::vector<float> expected = truth.gradients();
    return norm_of_difference(expected, problem.gradients()) / norm_of_difference(expected, std::vector<float>(expected.size()));
}

/// Half a unit in the last place of the gradient's type, and of a float for what goes before.
double rounding_of(int32_t type) { return (type == HF_FLOAT ? 0x1p-24 : type == HF_FLOAT16 ? 0x1p-11 : 0x1p-8) + 0x1p-20; }

// ------------------------------------------------------------------------------------------------------------------------ the plan

struct PlanCase {
    int64_t vocabulary;
    int32_t type;
    int architecture;
    Path path;
    int cluster;
};

void PrintTo(const PlanCase &c, std::ostream *out) { *out << c.vocabulary << " of type " << c.type << " on " << c.architecture; }

/// Rows at a multiple of 16 bytes; no memory is touched by a plan.
AnchorLoss described(int64_t vocabulary, int32_t type) {
    AnchorLoss loss{};
    loss.token_count = 1;
    loss.options = {sizeof(hf_anchor_loss_options), HF_FORWARD_KL, HF_INTERPOLATION_LOGIT, HF_LABEL_WEIGHTING_NONE, 1, 1, 0, 0.5f};
    loss.student = {sizeof(hf_logits), reinterpret_cast<const void *>(0x10000), vocabulary, vocabulary, type};
    loss.snapshot = loss.reference = loss.student;
    return loss;
}

class Plan : public ::testing::TestWithParam<PlanCase> {};

INSTANTIATE_TEST_SUITE_P(
    Cuda, Plan,
    ::testing::Values(
        // Three rows are 24 bytes per four or eight columns; 113 KiB of a block leave room for a second one, 227 KiB do not.
        PlanCase{1, HF_FLOAT, 90, Path::ON_CHIP, 1}, PlanCase{32000, HF_BFLOAT16, 90, Path::ON_CHIP, 2},
        PlanCase{49152, HF_BFLOAT16, 90, Path::ON_CHIP, 4}, PlanCase{49152, HF_FLOAT, 90, Path::ON_CHIP, 8},
        PlanCase{128256, HF_FLOAT16, 90, Path::ON_CHIP, 8}, PlanCase{151936, HF_BFLOAT16, 90, Path::ON_CHIP, 8},
        PlanCase{151936, HF_FLOAT, 90, Path::ON_CHIP, 16}, PlanCase{262144, HF_BFLOAT16, 90, Path::ON_CHIP, 16},
        PlanCase{262144, HF_FLOAT, 90, Path::ON_CHIP, 16}, PlanCase{400000, HF_FLOAT, 90, Path::STREAMED, 8},
        PlanCase{151936, HF_BFLOAT16, 100, Path::ON_CHIP, 8},
        // 99 KiB of a block, no clusters of 16
        PlanCase{49152, HF_BFLOAT16, 120, Path::ON_CHIP, 8}, PlanCase{128256, HF_BFLOAT16, 120, Path::ON_CHIP, 8},
        PlanCase{151936, HF_BFLOAT16, 120, Path::STREAMED, 8}, PlanCase{151936, HF_FLOAT, 120, Path::STREAMED, 8},
        // no clusters, no bulk copies
        PlanCase{1, HF_FLOAT, 80, Path::STREAMED, 1}, PlanCase{151936, HF_BFLOAT16, 80, Path::STREAMED, 1},
        PlanCase{151936, HF_BFLOAT16, 86, Path::STREAMED, 1}, PlanCase{262144, HF_FLOAT, 89, Path::STREAMED, 1}));

TEST_P(Plan, ChoosesThePathAndTheCluster) {
    const PlanCase &c = GetParam();
    const LaunchPlan plan = cuda::plan(described(c.vocabulary, c.type), device_of(c.architecture));
    EXPECT_EQ(c.path, plan.path);
    EXPECT_EQ(c.cluster, plan.cluster);
    EXPECT_EQ(c.type, plan.element_type);
}

/// Whatever the row, the block has shared memory for its part of it, and threads that the kernel was compiled for.
TEST(PlanOfAnyRow, FitsTheDevice) {
    for (int architecture : {80, 86, 89, 90, 100, 120}) {
        for (int32_t type : {HF_FLOAT, HF_FLOAT16, HF_BFLOAT16}) {
            for (int64_t vocabulary = 1; vocabulary < int64_t{1} << 22; vocabulary += vocabulary / 7 + 1) {
                for (int32_t interpolation : {HF_INTERPOLATION_LOGIT, HF_INTERPOLATION_PROBABILITY}) {
                    AnchorLoss loss = described(vocabulary, type);
                    loss.options.interpolation = interpolation;
                    const device::DeviceProperties device = device_of(architecture);
                    const LaunchPlan plan = cuda::plan(loss, device);
                    const int64_t groups = (vocabulary * element_bytes(type) + 15) / 16;
                    ASSERT_GE(plan.cluster * plan.groups_per_block, groups);
                    ASSERT_LE(plan.shared_bytes, device.shared_bytes_per_block);
                    ASSERT_GE(plan.shared_bytes, cuda::BOARD_BYTES + (plan.path == Path::ON_CHIP ? 3 * 16 * plan.groups_per_block : 0));
                    ASSERT_EQ(0, plan.threads % 32);
                    ASSERT_GE(plan.threads, 32);
                    ASSERT_LE(plan.threads, plan.path == Path::ON_CHIP ? cuda::ON_CHIP_THREADS : cuda::STREAMED_THREADS);
                }
            }
        }
    }
}

TEST(PlanOfAnyRow, ReadsNoSideInVain) {
    AnchorLoss loss = described(1000, HF_FLOAT);
    loss.options.kd_weight = 0;
    loss.options.ce_weight = 1;
    const auto anchor = [&] { return cuda::plan(loss, device_of(90)).anchor; };
    EXPECT_EQ(AnchorKind::STUDENT_ALONE, anchor());
    float statistics[HF_STATISTICS_COUNT];
    loss.outputs.statistics = statistics;
    EXPECT_EQ(AnchorKind::LOGITS, anchor());
    loss.reference = {};
    EXPECT_EQ(AnchorKind::SNAPSHOT_ALONE, anchor());
    loss.snapshot = {};
    EXPECT_EQ(AnchorKind::STUDENT_ALONE, anchor());
}

TEST(PlanOfAnyRow, TakesRowsThatDoNotLieAlikeOneByOne) {
    AnchorLoss loss = described(1000, HF_BFLOAT16);
    loss.reference.element_type = HF_FLOAT;
    EXPECT_EQ(0, cuda::plan(loss, device_of(90)).element_type);
    loss = described(1000, HF_BFLOAT16);
    loss.snapshot.data = reinterpret_cast<const void *>(0x10002);
    EXPECT_EQ(0, cuda::plan(loss, device_of(90)).element_type);
    loss = described(1000, HF_BFLOAT16);
    loss.snapshot.row_stride = 1001;
    EXPECT_EQ(0, cuda::plan(loss, device_of(90)).element_type);
    loss.snapshot.row_stride = 1008;
    EXPECT_EQ(HF_BFLOAT16, cuda::plan(loss, device_of(90)).element_type);
}

// --------------------------------------------------------------------------------------------------------------------- the kernels

/// A device with an order of threads and copies, while it lives.
class Emulated {
public:
    explicit Emulated(int architecture, const Schedule &schedule = {}) : schedule_(emulator::set_schedule(schedule)) {
        emulate(architecture);
    }
    ~Emulated() { emulator::set_schedule(schedule_); }
    Emulated(const Emulated &) = delete;
    Emulated &operator=(const Emulated &) = delete;

private:
    const Schedule schedule_;
};

/// Types, odd widths and strides, rows and gradients at any place, of up to two blocks' worth of columns.
TEST(CudaAnchorLoss, TakesRowsOfAnyTypeAndPlace) {
    const std::vector<Layout> layouts = {
        plain(HF_FLOAT),
        plain(HF_FLOAT16),
        plain(HF_BFLOAT16),
        {HF_FLOAT, 3, 1, HF_FLOAT, HF_FLOAT, 1},           // rows that begin anywhere, all alike
        {HF_FLOAT16, 5, 3, HF_FLOAT16, HF_FLOAT16, 3},     //
        {HF_BFLOAT16, 7, 1, HF_BFLOAT16, HF_BFLOAT16, 1},  //
        {HF_BFLOAT16, 7, 1, HF_BFLOAT16, HF_BFLOAT16, 2},  // a gradient that lies elsewhere
        {HF_BFLOAT16, 0, 0, HF_BFLOAT16, HF_FLOAT, 0},     // a gradient of another type
        {HF_BFLOAT16, 0, 0, HF_FLOAT16, HF_BFLOAT16, 0},   // sides of several types
    };
    for (int architecture : {80, 90}) {
        const Emulated device(architecture);
        if (architecture == 90) {
            emulator::set_device({90, 132, 10 << 10, 11 << 10});  // so small that rows take a cluster
        }
        for (const Layout &layout : layouts) {
            for (int64_t width : {9, 2003}) {
                for (int32_t interpolation : {HF_INTERPOLATION_LOGIT, HF_INTERPOLATION_PROBABILITY}) {
                    Problem problem(2, width, layout);
                    problem.options.interpolation = interpolation;
                    problem.options.ce_weight = 0.5f;
                    EXPECT_LE(gradient_error(problem), rounding_of(layout.gradient_type))
                        << "type " << layout.type << " width " << width << " architecture " << architecture;
                }
            }
        }
    }
}

TEST(CudaAnchorLoss, AccumulatesGradients) {
    for (int architecture : {80, 90}) {
        const Emulated device(architecture);
        for (const Layout &layout : {plain(HF_FLOAT), Layout{HF_BFLOAT16, 3, 1, HF_BFLOAT16, HF_FLOAT, 0}}) {
            Problem once(2, 1003, layout), twice(2, 1003, layout);
            twice.gradient_mode = HF_GRADIENT_ACCUMULATE;
            ASSERT_EQ(HF_OK, once.run(HF_BACKEND_CUDA)) << hf_last_error();
            ASSERT_EQ(HF_OK, twice.run(HF_BACKEND_CUDA)) << hf_last_error();
            ASSERT_EQ(HF_OK, twice.run(HF_BACKEND_CUDA)) << hf_last_error();
            const std::vector<float> expected = once.gradients(), got = twice.gradients();
            for (size_t i = 0; i < got.size(); ++i) {
                ASSERT_EQ(2 * expected[i], got[i]);  // exact in floats
            }
        }
    }
}

/// A student 10, 1 and 0.1 % from the snapshot, alpha 0.1. The logits are the truth's own, so that what is judged is the kernel alone: half
/// a unit of the gradient's type, and half a unit of a float in the anchor's logit, below 16, against a log-ratio of alpha or the nearness.
TEST(CudaAnchorLoss, KeepsItsPrecisionNearTheSnapshot) {
    const Emulated device(90);
    for (int32_t type : {HF_FLOAT, HF_FLOAT16, HF_BFLOAT16}) {
        for (float nearness : {0.1f, 0.01f, 0.001f}) {
            for (int32_t interpolation : {HF_INTERPOLATION_LOGIT, HF_INTERPOLATION_PROBABILITY}) {
                Problem problem(2, 4096, {type, 0, 0, type, HF_FLOAT, 0}, nearness);
                problem.alphas.assign(2, 0.1f);
                problem.options.interpolation = interpolation;
                EXPECT_LE(gradient_error(problem), 0x1p-21 / 0.1) << "type " << type << " nearness " << nearness;
            }
        }
    }
}

/// On the chip each logit is read once, by bulk copies but for the ends of rows, and each gradient written once.
TEST(CudaAnchorLoss, ReadsAndWritesEveryLogitOnce) {
    const Emulated device(90);
    for (int32_t divergence : {HF_FORWARD_KL, HF_REVERSE_KL, HF_JSD}) {
        for (int64_t shift : {0, 3}) {
            const int64_t rows = 2, width = 49152, per_token = 8 + 4 + 4;
            Problem problem(rows, width, {HF_BFLOAT16, 0, shift, HF_BFLOAT16, HF_BFLOAT16, shift});
            problem.options.divergence = divergence;
            ASSERT_EQ(HF_OK, problem.run(HF_BACKEND_CUDA)) << hf_last_error();  // what opens the library reads nothing, but may later
            emulator::reset_traffic();
            ASSERT_EQ(HF_OK, problem.run(HF_BACKEND_CUDA)) << hf_last_error();
            const emulator::Traffic traffic = emulator::traffic();
            const int64_t logits = rows * width * 2, ends = shift == 0 ? 0 : rows * 16;  // a group's worth at both ends of a row
            EXPECT_EQ(3 * (logits - ends), traffic.bytes(Access::BULK_LOAD));
            // Every thread reads its token's label, weight and alpha, which the cache answers.
            EXPECT_EQ(0, (traffic.bytes(Access::CACHED_LOAD) - 3 * ends) % (rows * per_token));
            EXPECT_EQ(0, traffic.bytes(Access::STREAMING_LOAD));
            EXPECT_EQ(logits - ends, traffic.bytes(Access::STREAMING_STORE));
            EXPECT_EQ(ends + rows * 4 * (1 + HF_STATISTICS_COUNT), traffic.bytes(Access::CACHED_STORE));
        }
    }
}

/// Walks of the rows, and none more: two for forward KL, three where the value must be known before the gradient.
TEST(CudaAnchorLoss, StreamsRowsOncePerWalk) {
    const Emulated device(80);
    for (int32_t divergence : {HF_FORWARD_KL, HF_REVERSE_KL}) {
        const int64_t width = 49152, logits = 3 * width * 2;
        Problem problem(1, width, plain(HF_BFLOAT16));
        problem.options.divergence = divergence;
        ASSERT_EQ(HF_OK, problem.run(HF_BACKEND_CUDA)) << hf_last_error();
        emulator::reset_traffic();
        ASSERT_EQ(HF_OK, problem.run(HF_BACKEND_CUDA)) << hf_last_error();
        const emulator::Traffic traffic = emulator::traffic();
        const int64_t survey = 3 * cuda::STREAMED_THREADS * 16,
                      small = 20000;  // labels, weights, alphas per thread
        EXPECT_EQ(logits, traffic.bytes(Access::STREAMING_LOAD));
        EXPECT_NEAR(logits * (divergence == HF_FORWARD_KL ? 1 : 2) + survey, traffic.bytes(Access::CACHED_LOAD), small);
        EXPECT_EQ(0, traffic.bytes(Access::BULK_LOAD));
        EXPECT_EQ(width * 2, traffic.bytes(Access::STREAMING_STORE));
    }
}

/// Blocks of 32 threads in clusters of 8, so that orders differ much, and one that ThreadSanitizer can follow.
TEST(CudaAnchorLoss, GivesTheSameBitsInWhateverOrderThreadsRun) {
    const Schedule schedules[] = {{Order::FORWARD, Completion::LATE, 1},
                                  {Order::REVERSE, Completion::EARLY, 1},
                                  {Order::SHUFFLED, Completion::SHUFFLED, 2},
                                  {Order::SHUFFLED, Completion::LATE, 3}};
    for (int32_t type : {HF_FLOAT, HF_BFLOAT16}) {
        for (int32_t divergence : {HF_FORWARD_KL, HF_JSD}) {
            for (int architecture : {80, 90}) {
                Problem first(2, 1501, {type, 3, 1, type, type, 1});
                first.options.divergence = divergence;
                first.options.ce_weight = 0.5f;
                first.labels[1] = HF_IGNORE_INDEX;
                const Problem fresh = first;
                for (const Schedule &schedule : schedules) {
                    const Emulated device(architecture, schedule);
                    if (architecture == 90) {
                        emulator::set_device({90, 132, 6 << 10, 7 << 10});  // so small that rows take a cluster
                    }
                    Problem other = fresh;
                    ASSERT_EQ(HF_OK, other.run(HF_BACKEND_CUDA)) << hf_last_error();
                    if (&schedule == schedules) {
                        first = other;
                    }
                    EXPECT_EQ(first.loss, other.loss);
                    EXPECT_EQ(first.statistics, other.statistics);
                    EXPECT_EQ(first.gradients(), other.gradients());
                }
            }
        }
    }
}

/// Values that the host does not see give NaN for their token, and for no other.
TEST(CudaAnchorLoss, SaysNotANumberForTokensThatAreNotAllowed) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (int architecture : {80, 90}) {
        const Emulated device(architecture);
        for (int bad = 0; bad < 4; ++bad) {
            Problem problem(2, 100, plain(HF_FLOAT));
            problem.options.ce_weight = 0.5f;
            problem.labels[0] = bad == 0 ? 100 : bad == 1 ? -1 : problem.labels[0];
            problem.weights[0] = bad == 2 ? nan : problem.weights[0];
            problem.alphas[0] = bad == 3 ? 1.5f : problem.alphas[0];
            ASSERT_EQ(HF_OK, problem.run(HF_BACKEND_CUDA)) << hf_last_error();
            EXPECT_TRUE(std::isnan(problem.loss[0]) || bad == 2);  // the loss goes without the weight
            for (int64_t v = 0; v < 100; ++v) {
                EXPECT_TRUE(std::isnan(problem.gradient.at(0, v))) << "case " << bad;
                EXPECT_FALSE(std::isnan(problem.gradient.at(1, v))) << "case " << bad;
            }
        }
    }
}

/// Sides that are high in different columns: their mixture stays below what floats hold relative to either.
TEST(CudaAnchorLoss, MixesSidesThatReachHighInDifferentColumns) {
    for (int architecture : {80, 90}) {
        const Emulated device(architecture);
        Problem problem(1, 3000, plain(HF_FLOAT));
        problem.alphas[0] = 0.5f;
        problem.snapshot.put(0, 100, 120.0f);
        problem.reference.put(0, 100, -120.0f);
        problem.snapshot.put(0, 2900, -120.0f);
        problem.reference.put(0, 2900, 120.0f);
        EXPECT_LE(gradient_error(problem), 4 * rounding_of(HF_FLOAT));
    }
}

TEST(CudaAnchorLoss, WantsNoMemory) {
    emulate(90);
    Problem problem(1, 10, plain(HF_FLOAT));
    const hf_logits rows = problem.student.logits();
    size_t bytes = 7;
    ASSERT_EQ(HF_OK, hf_anchor_loss_workspace_bytes(HF_BACKEND_CUDA, 1, &rows, &rows, &rows, &bytes)) << hf_last_error();
    EXPECT_EQ(0u, bytes);
}

}  // namespace
