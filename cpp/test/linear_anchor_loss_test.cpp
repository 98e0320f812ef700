// The loss fused with the head: every form against logits that are all there, in every implementation.
#include "holdfast/linear_anchor_loss.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "simd/element.hpp"
#include "support.hpp"

namespace {

using namespace holdfast::testing;
using Doubles = std::vector<double>;

constexpr float NOT_A_NUMBER = std::numeric_limits<float>::quiet_NaN();

/// Hidden states and a head of one model.
struct Model {
    int64_t hidden_size = 0, vocabulary_size = 0;
    Floats hidden, head;
};

struct Problem {
    int64_t rows = 0;
    int32_t form = HF_ANCHOR_SIDES;
    Model student, snapshot, reference;
    bool with_snapshot = true, with_reference = true;
    bool shares_head = false;  // all models have the student's
    std::vector<int64_t> labels;
    Floats weights, alphas, mean, entropy;
    hf_anchor_loss_options options{
        sizeof(hf_anchor_loss_options), HF_FORWARD_KL, HF_INTERPOLATION_LOGIT, HF_LABEL_WEIGHTING_NONE, 1, 1, 0, 0.5f};
    int32_t operand_type = HF_FLOAT;

    const Floats &head_of(const Model &model) const { return shares_head ? student.head : model.head; }
    int64_t width_of(const Model &model) const { return shares_head ? student.vocabulary_size : model.vocabulary_size; }
};

struct Result {
    hf_status status = HF_OK;
    Floats loss, statistics, hidden_gradient, head_gradient;
};

Floats normal(std::mt19937 &random, int64_t count, double spread) { return random_floats(random, count, static_cast<float>(spread)); }

/// Logits of deviation 2; sides differ by `distance` of a logit's size.
Problem random_problem(uint32_t seed, int64_t rows, int64_t hidden_size, int64_t vocabulary_size, double distance = 0.5) {
    std::mt19937 random(seed);
    Problem problem;
    problem.rows = rows;
    problem.snapshot = {hidden_size, vocabulary_size, normal(random, rows * hidden_size, 2),
                        normal(random, vocabulary_size * hidden_size, 1 / std::sqrt(static_cast<double>(hidden_size)))};
    problem.student = problem.reference = problem.snapshot;
    for (Model *model : {&problem.student, &problem.reference}) {
        const double by = model == &problem.student ? distance : 0.5;
        for (float &h : model->hidden) {
            h += normal(random, 1, by)[0];
        }
        for (float &w : model->head) {
            w += normal(random, 1, by / 4 / std::sqrt(static_cast<double>(hidden_size)))[0];
        }
    }
    for (int64_t i = 0; i < rows; ++i) {
        problem.labels.push_back(static_cast<int64_t>(random() % vocabulary_size));
        problem.weights.push_back(0.25f + 0.5f * static_cast<float>(i % 3));
        problem.alphas.push_back(static_cast<float>(i % 5) / 4);
    }
    return problem;
}

hf_linear_logits linear(const Problem &problem, const Model &model) {
    return {sizeof(hf_linear_logits),
            model.hidden.data(),
            problem.head_of(model).data(),
            model.hidden_size,
            problem.width_of(model),
            model.hidden_size,
            model.hidden_size,
            HF_FLOAT,
            HF_FLOAT};
}

/// The structs that a problem is passed by.
struct Call {
    hf_linear_logits student, snapshot, reference;
    hf_linear_anchor anchor;
    hf_anchor_loss_tokens tokens;

    explicit Call(const Problem &problem)
        : student(linear(problem, problem.student)),
          snapshot(linear(problem, problem.snapshot)),
          reference(linear(problem, problem.reference)),
          anchor{sizeof anchor, nullptr, nullptr, nullptr, nullptr, problem.form},
          tokens{sizeof tokens, problem.labels.data(), problem.weights.data(), problem.alphas.data()} {
        if (problem.form == HF_ANCHOR_MEAN) {
            anchor.mean = problem.mean.data();
            anchor.entropy = problem.entropy.data();
            return;
        }
        anchor.snapshot = problem.with_snapshot && problem.form != HF_ANCHOR_HIDDEN ? &snapshot : nullptr;
        anchor.reference = problem.with_reference ? &reference : nullptr;
    }
    Call(const Call &) = delete;
    Call &operator=(const Call &) = delete;
};

/// Memory aligned as workspaces are.
class Workspace {
public:
    explicit Workspace(size_t bytes) : memory_(bytes + 64), bytes_(bytes) {}
    void *data() {
        void *start = memory_.data();
        size_t room = memory_.size();
        return std::align(64, bytes_, start, room);
    }
    size_t bytes() const { return bytes_; }

private:
    std::vector<char> memory_;
    size_t bytes_;
};

size_t workspace_bytes(const Implementation &implementation, const Problem &problem) {
    const Call call(problem);
    size_t bytes = 0;
    EXPECT_EQ(HF_OK, hf_linear_anchor_loss_workspace_bytes(implementation.backend, problem.rows, &call.student, &call.anchor, &bytes))
        << hf_last_error();
    return bytes;
}

Result run(const Implementation &implementation, const Problem &problem, Result start, int32_t mode = HF_GRADIENT_OVERWRITE) {
    const Capped cap(implementation);
    const Call call(problem);
    const int64_t h = problem.student.hidden_size;
    const bool trains_head = problem.form != HF_ANCHOR_MEAN;
    const hf_linear_anchor_loss_outputs outputs{sizeof outputs,
                                                start.loss.data(),
                                                start.statistics.data(),
                                                start.hidden_gradient.data(),
                                                trains_head ? start.head_gradient.data() : nullptr,
                                                h,
                                                h,
                                                HF_FLOAT,
                                                HF_FLOAT,
                                                mode,
                                                trains_head ? mode : HF_GRADIENT_NONE};
    Workspace workspace(workspace_bytes(implementation, problem));
    start.status = hf_linear_anchor_loss(implementation.backend, problem.rows, &problem.options, problem.operand_type, &call.student,
                                         &call.anchor, &call.tokens, &outputs, workspace.data(), workspace.bytes(), nullptr, nullptr);
    return start;
}

Result filled(const Problem &problem, float value) {
    const size_t rows = static_cast<size_t>(problem.rows);
    return {HF_OK, Floats(rows, value), Floats(rows * HF_STATISTICS_COUNT, value), Floats(problem.student.hidden.size(), value),
            Floats(problem.student.head.size(), value)};
}

Result run(const Implementation &implementation, const Problem &problem) {
    Result result = run(implementation, problem, filled(problem, NOT_A_NUMBER));
    EXPECT_EQ(HF_OK, result.status) << hf_last_error();
    return result;
}

/// The problem in the form of the anchor's mean, which that implementation computes.
Problem with_mean(const Implementation &implementation, Problem problem) {
    const Capped cap(implementation);
    const Call call(problem);
    problem.form = HF_ANCHOR_MEAN;
    problem.mean.assign(problem.student.hidden.size(), NOT_A_NUMBER);
    problem.entropy.assign(static_cast<size_t>(problem.rows), NOT_A_NUMBER);
    size_t bytes = 0;
    EXPECT_EQ(HF_OK, hf_anchor_mean_workspace_bytes(implementation.backend, problem.rows, problem.options.interpolation, &call.snapshot,
                                                    &call.reference, &bytes));
    Workspace workspace(bytes);
    EXPECT_EQ(HF_OK, hf_anchor_mean(implementation.backend, problem.rows, problem.options.interpolation, problem.options.temperature,
                                    problem.operand_type, &call.snapshot, &call.reference, problem.alphas.data(), problem.mean.data(),
                                    problem.entropy.data(), workspace.data(), bytes, nullptr, nullptr))
        << hf_last_error();
    return problem;
}

/// Hidden states of the mixed anchor in place of the reference's.
Problem with_mixed_hidden(Problem problem) {
    for (size_t i = 0; i < problem.reference.hidden.size(); ++i) {
        const float alpha = problem.alphas[i / static_cast<size_t>(problem.reference.hidden_size)];
        problem.reference.hidden[i] = problem.snapshot.hidden[i] + alpha * (problem.reference.hidden[i] - problem.snapshot.hidden[i]);
    }
    problem.form = HF_ANCHOR_HIDDEN;
    return problem;
}

struct Case {
    int32_t divergence, interpolation, weighting;
    float temperature, kd_weight, ce_weight, beta;
};

std::vector<Case> cases() {
    std::vector<Case> all;
    for (int32_t divergence : {HF_FORWARD_KL, HF_REVERSE_KL, HF_JSD}) {
        for (int32_t interpolation : {HF_INTERPOLATION_LOGIT, HF_INTERPOLATION_PROBABILITY}) {
            all.push_back({divergence, interpolation, HF_LABEL_WEIGHTING_NONE, 1.0f, 1.0f, 0.0f, 0.5f});
            all.push_back({divergence, interpolation, HF_LABEL_WEIGHTING_DFT, 2.0f, 0.7f, 0.3f, 0.2f});
        }
    }
    return all;
}

void apply(const Case &chosen, Problem &problem) {
    problem.options = {sizeof(hf_anchor_loss_options),
                       chosen.divergence,
                       chosen.interpolation,
                       chosen.weighting,
                       chosen.temperature,
                       chosen.kd_weight,
                       chosen.ce_weight,
                       chosen.beta};
}

/// Every form that can state a problem whose models share a head.
std::vector<Problem> forms_of(const Implementation &implementation, const Problem &shared) {
    std::vector<Problem> forms = {shared};
    if (shared.options.interpolation == HF_INTERPOLATION_LOGIT) {
        forms.push_back(shared);
        forms.back().form = HF_ANCHOR_MIXED;
        forms.push_back(with_mixed_hidden(shared));
    }
    if (shared.options.divergence == HF_FORWARD_KL) {
        forms.push_back(with_mean(implementation, shared));
    }
    return forms;
}

std::string describe(const Problem &problem) {
    return "form " + std::to_string(problem.form) + " divergence " + std::to_string(problem.options.divergence) + " interpolation " +
           std::to_string(problem.options.interpolation) + " rows " + std::to_string(problem.rows) + " hidden " +
           std::to_string(problem.student.hidden_size) + " vocabulary " + std::to_string(problem.student.vocabulary_size);
}

/// The CPU needs a library for its products, whose path ctest passes where CMake found one.
class LinearAnchorLoss : public EveryImplementation {
protected:
    void SetUp() override {
        EveryImplementation::SetUp();
        if (GetParam().backend == HF_BACKEND_CPU && !open_matrix_library()) {
            GTEST_SKIP() << "HOLDFAST_MATRIX_LIBRARY: expected the path of libdnnl.so.3, got none that opens";
        }
    }
};

INSTANTIATE_TEST_SUITE_P(Every, LinearAnchorLoss, testing::ValuesIn(all_implementations()), name_of);

// ---- Logits that are all there, written down once more -----------------------------------------------------------------------------

/// The sum over the tokens of weight * loss, in double; the anchor and DFT's factor are those of `fixed`, held constant.
double independent_loss(const Problem &problem, const Problem &fixed) {
    const hf_anchor_loss_options &options = problem.options;
    const int64_t h = problem.student.hidden_size, width = problem.student.vocabulary_size;
    auto softmax = [&](const Doubles &z) {
        double sum = 0;
        Doubles p(z.size());
        for (size_t v = 0; v < z.size(); ++v) {
            sum += p[v] = std::exp(z[v] / options.temperature);
        }
        for (double &x : p) {
            x /= sum;
        }
        return p;
    };
    auto logits = [&](const Floats &hidden, const Floats &head, int64_t row) {
        Doubles z(static_cast<size_t>(width));
        for (int64_t v = 0; v < width; ++v) {
            for (int64_t i = 0; i < h; ++i) {
                z[static_cast<size_t>(v)] +=
                    static_cast<double>(hidden[static_cast<size_t>(row * h + i)]) * head[static_cast<size_t>(v * h + i)];
            }
        }
        return z;
    };
    double total = 0;
    for (int64_t row = 0; row < problem.rows; ++row) {
        const size_t label = static_cast<size_t>(problem.labels[row]);
        const double alpha = problem.alphas[row];
        const Doubles s = softmax(logits(problem.student.hidden, problem.student.head, row));
        const Doubles held = softmax(logits(fixed.student.hidden, fixed.student.head, row));
        const Doubles zc = logits(fixed.snapshot.hidden, fixed.head_of(fixed.snapshot), row);
        const Doubles zr = logits(fixed.reference.hidden, fixed.head_of(fixed.reference), row);
        Doubles q(zc.size());
        const Doubles pc = softmax(zc), pr = softmax(zr);
        for (size_t v = 0; v < q.size(); ++v) {
            q[v] =
                options.interpolation == HF_INTERPOLATION_LOGIT ? (1 - alpha) * zc[v] + alpha * zr[v] : (1 - alpha) * pc[v] + alpha * pr[v];
        }
        q = options.interpolation == HF_INTERPOLATION_LOGIT ? softmax(q) : q;
        double kd = 0;
        for (size_t v = 0; v < q.size(); ++v) {
            const double beta = options.beta, m = beta * q[v] + (1 - beta) * s[v];
            kd += options.divergence == HF_FORWARD_KL   ? q[v] * std::log(q[v] / s[v])
                  : options.divergence == HF_REVERSE_KL ? s[v] * std::log(s[v] / q[v])
                                                        : beta * q[v] * std::log(q[v] / m) + (1 - beta) * s[v] * std::log(s[v] / m);
        }
        const double omega = options.label_weighting == HF_LABEL_WEIGHTING_DFT ? held[label] : 1;
        total += problem.weights[row] * (options.kd_weight * kd - options.ce_weight * omega * std::log(s[label]));
    }
    return total;
}

/// The derivative by one of the student's numbers, which the change reaches.
double numeric_derivative(const Problem &problem, const std::function<float &(Problem &)> &number) {
    Problem up = problem, down = problem;
    number(up) += 1e-3f;
    number(down) -= 1e-3f;
    const double step = static_cast<double>(number(up)) - number(down);
    return (independent_loss(up, problem) - independent_loss(down, problem)) / step;
}

/// A central difference of step 1e-3 errs by its square times a sixth of the third derivative: with weights of 1.25 and factors of up to 3
/// that is 6e-6 at most. The kernels' rounding lies below that.
constexpr double OF_DIFFERENCE = 1e-5;

TEST_P(LinearAnchorLoss, HasTheDerivativesOfAnIndependentLoss) {
    Problem shared = random_problem(1, 3, 4, 7);
    shared.shares_head = true;
    Problem separate = random_problem(2, 3, 4, 7);
    for (const Case &chosen : cases()) {
        apply(chosen, shared);
        apply(chosen, separate);
        std::vector<Problem> problems = forms_of(GetParam(), shared);
        problems.push_back(separate);
        for (const Problem &problem : problems) {
            const Result result = run(GetParam(), problem);
            // The anchor of the shared problem is the same in every form, whose own fields need not have it.
            Problem stated = problem.shares_head ? shared : separate;
            double loss = 0;
            for (int64_t row = 0; row < problem.rows; ++row) {
                loss += problem.weights[row] * result.loss[row];
            }
            // A shared head is the anchor's too, where it is held constant.
            stated.snapshot.head = stated.head_of(stated.snapshot);
            stated.reference.head = stated.head_of(stated.reference);
            stated.shares_head = false;
            EXPECT_NEAR(independent_loss(stated, stated), loss, OF_DIFFERENCE) << describe(problem);
            for (size_t i = 0; i < result.hidden_gradient.size(); ++i) {
                const double numeric = numeric_derivative(stated, [i](Problem &p) -> float & { return p.student.hidden[i]; });
                ASSERT_NEAR(numeric, result.hidden_gradient[i], OF_DIFFERENCE) << describe(problem) << " hidden " << i;
            }
            for (size_t i = 0; problem.form != HF_ANCHOR_MEAN && i < result.head_gradient.size(); ++i) {
                const double numeric = numeric_derivative(stated, [i](Problem &p) -> float & { return p.student.head[i]; });
                ASSERT_NEAR(numeric, result.head_gradient[i], OF_DIFFERENCE) << describe(problem) << " head " << i;
            }
        }
    }
}

// ---- Against the reference ---------------------------------------------------------------------------------------------------------

/// What nobody who computes logits in float avoids: half a unit in the last place of logits below 16.
constexpr double ROUNDING = 0x1p-20;

/// An ordinary implementation: logits all there, every sum a loop in float.
Result ordinary(const Problem &problem) {
    auto product = [](const Floats &a, const Floats &b, int64_t m, int64_t n, int64_t k, auto a_at, auto b_at) {
        Floats c(static_cast<size_t>(m * n));
        for (int64_t row = 0; row < m; ++row) {
            for (int64_t column = 0; column < n; ++column) {
                float sum = 0;
                for (int64_t i = 0; i < k; ++i) {
                    sum += a[static_cast<size_t>(a_at(row, i))] * b[static_cast<size_t>(b_at(i, column))];
                }
                c[static_cast<size_t>(row * n + column)] = sum;
            }
        }
        return c;
    };
    const int64_t n = problem.rows, h = problem.student.hidden_size, v = problem.student.vocabulary_size;
    auto logits = [&](const Model &model) {
        const int64_t k = model.hidden_size;
        return product(
            model.hidden, problem.head_of(model), n, problem.width_of(model), k, [k](int64_t r, int64_t i) { return r * k + i; },
            [k](int64_t i, int64_t c) { return c * k + i; });
    };
    Result result = filled(problem, 0);
    const Floats s = logits(problem.student), c = logits(problem.snapshot), r = logits(problem.reference);
    Floats gradient(s.size());
    auto rows = [](const Floats &values, int64_t width) { return hf_logits{sizeof(hf_logits), values.data(), width, width, HF_FLOAT}; };
    const hf_logits student = rows(s, v), snapshot = rows(c, problem.width_of(problem.snapshot)),
                    reference = rows(r, problem.width_of(problem.reference));
    const hf_anchor_loss_tokens tokens{sizeof tokens, problem.labels.data(), problem.weights.data(), problem.alphas.data()};
    const hf_anchor_loss_outputs outputs{sizeof outputs, result.loss.data(),   result.statistics.data(), gradient.data(), v,
                                         HF_FLOAT,       HF_GRADIENT_OVERWRITE};
    EXPECT_EQ(HF_OK, hf_anchor_loss(HF_BACKEND_CPU, n, &problem.options, &student, problem.with_snapshot ? &snapshot : nullptr,
                                    problem.with_reference ? &reference : nullptr, &tokens, &outputs, nullptr, 0, nullptr, nullptr));
    result.hidden_gradient = product(
        gradient, problem.student.head, n, h, v, [v](int64_t row, int64_t i) { return row * v + i; },
        [h](int64_t i, int64_t column) { return i * h + column; });
    result.head_gradient = product(
        gradient, problem.student.hidden, v, h, n, [v](int64_t row, int64_t i) { return i * v + row; },
        [h](int64_t i, int64_t column) { return i * h + column; });
    return result;
}

double largest(const Floats &values) {
    double result = 0;
    for (float value : values) {
        result = std::isinf(value) ? result : std::max(result, std::abs(static_cast<double>(value)));
    }
    return result;
}

double largest_difference(const Floats &a, const Floats &b) {
    EXPECT_EQ(a.size(), b.size());
    double result = 0;
    for (size_t i = 0; i < a.size(); ++i) {
        const double difference = a[i] == b[i] ? 0 : std::abs(static_cast<double>(a[i]) - b[i]);  // infinite ones too
        result = std::isnan(difference) ? difference : std::max(result, difference);
    }
    return result;
}

/// Twice what the ordinary implementation errs by, and the rounding of a logit for each factor that a gradient row, whose elements sum to
/// at most 2 of the largest weight, is multiplied with.
void expect_close(const Problem &problem, const Result &truth, const Result &ours, const std::string &what, bool trains_head = true) {
    const Result plain = ordinary(problem);
    const double weight = 2 * largest(problem.weights);
    EXPECT_LE(largest_difference(truth.loss, ours.loss),
              2 * largest_difference(truth.loss, plain.loss) + ROUNDING * (1 + largest(truth.loss)))
        << what << " loss";
    EXPECT_LE(largest_difference(truth.hidden_gradient, ours.hidden_gradient),
              2 * largest_difference(truth.hidden_gradient, plain.hidden_gradient) + weight * ROUNDING * largest(problem.student.head))
        << what << " hidden gradient";
    if (trains_head) {
        EXPECT_LE(largest_difference(truth.head_gradient, ours.head_gradient),
                  2 * largest_difference(truth.head_gradient, plain.head_gradient) + weight * ROUNDING * largest(problem.student.hidden))
            << what << " head gradient";
    }
    // Means of logits and of log-ratios, of which each carries that rounding twice.
    EXPECT_LE(largest_difference(truth.statistics, ours.statistics), 4 * ROUNDING * (1 + largest(truth.statistics)))
        << what << " statistics";
}

/// Sizes around those of vectors (16), of chunks of the loss (1024), and of one.
TEST_P(LinearAnchorLoss, AgreesWithTheReferenceInEveryForm) {
    struct Sizes {
        int64_t rows, hidden, vocabulary;
    };
    uint32_t seed = 10;
    for (const Sizes &sizes : {Sizes{1, 1, 1}, Sizes{5, 3, 17}, Sizes{19, 16, 129}, Sizes{6, 33, 1025}, Sizes{2, 40, 3001}}) {
        Problem shared = random_problem(++seed, sizes.rows, sizes.hidden, sizes.vocabulary);
        shared.shares_head = true;
        for (const Case &chosen : cases()) {
            apply(chosen, shared);
            for (const Problem &problem : forms_of(REFERENCE, shared)) {
                const Result truth = run(REFERENCE, problem), ours = run(GetParam(), problem);
                Problem stated = problem;
                stated.snapshot.hidden = shared.snapshot.hidden;
                stated.reference.hidden = shared.reference.hidden;
                expect_close(stated, truth, ours, describe(problem), problem.form != HF_ANCHOR_MEAN);
            }
            Problem separate = shared;
            separate.shares_head = false;
            expect_close(separate, run(REFERENCE, separate), run(GetParam(), separate), describe(separate) + " separate heads");
        }
    }
}

TEST_P(LinearAnchorLoss, GivesTheSameInEveryForm) {
    Problem shared = random_problem(30, 9, 24, 301);
    shared.shares_head = true;
    for (const Case &chosen : cases()) {
        apply(chosen, shared);
        const Result exact = run(REFERENCE, shared);
        for (const Problem &problem : forms_of(GetParam(), shared)) {
            const Result ours = run(GetParam(), problem);
            Result masked = exact;
            for (size_t i = 0; i < masked.statistics.size(); ++i) {
                const size_t column = i % HF_STATISTICS_COUNT;
                const bool given = column == HF_KL_ANCHOR_STUDENT || column == HF_STUDENT_ENTROPY || column == HF_STUDENT_LOG_SUM_EXP ||
                                   column == HF_LABEL_LOG_PROBABILITY || column == HF_LABEL_IS_ARGMAX;
                masked.statistics[i] = given || problem.form == HF_ANCHOR_SIDES ? exact.statistics[i] : 0.0f;
            }
            expect_close(shared, masked, ours, describe(problem), problem.form != HF_ANCHOR_MEAN);
        }
    }
}

TEST_P(LinearAnchorLoss, TakesModelsOfOtherSizes) {
    Problem problem = random_problem(31, 6, 24, 200);
    const Problem other = random_problem(32, 6, 40, 150), wider = random_problem(33, 6, 8, 230);
    problem.snapshot = other.snapshot;
    problem.reference = wider.reference;
    problem.options.divergence = HF_REVERSE_KL;
    problem.options.interpolation = HF_INTERPOLATION_PROBABILITY;
    for (float &alpha : problem.alphas) {
        alpha = 0.5f;  // with less of the wider side the divergence would be infinite
    }
    const Result truth = run(REFERENCE, problem);
    EXPECT_TRUE(std::isfinite(truth.loss[0]));
    expect_close(problem, truth, run(GetParam(), problem), "other sizes");
}

TEST_P(LinearAnchorLoss, TakesTheStudentForAMissingSnapshotAndLabelsAlone) {
    Problem problem = random_problem(34, 7, 16, 65);
    problem.with_snapshot = false;
    expect_close(problem, run(REFERENCE, problem), run(GetParam(), problem), "no snapshot");
    Problem mixed = problem;
    mixed.shares_head = true;
    mixed.form = HF_ANCHOR_MIXED;
    Problem sides = mixed;
    sides.form = HF_ANCHOR_SIDES;
    const Result exact = run(REFERENCE, sides), ours = run(GetParam(), mixed);
    EXPECT_LE(largest_difference(exact.loss, ours.loss), ROUNDING);
    EXPECT_LE(largest_difference(exact.hidden_gradient, ours.hidden_gradient), 2 * ROUNDING * largest(problem.student.head));
    problem.with_reference = false;
    problem.options.ce_weight = 1;
    expect_close(problem, run(REFERENCE, problem), run(GetParam(), problem), "labels alone");
}

/// Three chunks, whose tokens are not side by side.
TEST_P(LinearAnchorLoss, CutsManyTokensIntoChunks) {
    Problem shared = random_problem(35, 1301, 8, 33);
    shared.shares_head = true;
    for (int64_t i = 0; i < shared.rows; ++i) {
        shared.labels[i] = i % 7 == 3 ? HF_IGNORE_INDEX : shared.labels[i];
    }
    for (const Problem &problem : forms_of(GetParam(), shared)) {
        const Result truth = run(REFERENCE, problem), ours = run(GetParam(), problem);
        expect_close(shared, truth, ours, describe(problem), problem.form != HF_ANCHOR_MEAN);
    }
}

// ---- Properties --------------------------------------------------------------------------------------------------------------------

TEST_P(LinearAnchorLoss, IsZeroForIgnoredTokensWhateverTheyHold) {
    Problem shared = random_problem(40, 5, 6, 31);
    shared.shares_head = true;
    Problem clean = shared;
    shared.labels[1] = HF_IGNORE_INDEX;
    shared.weights[4] = 0;
    for (int64_t token : {1, 4}) {
        for (Model *model : {&shared.student, &shared.snapshot, &shared.reference}) {
            std::fill_n(model->hidden.begin() + token * 6, 6, NOT_A_NUMBER);
        }
    }
    std::vector<Problem> forms = forms_of(GetParam(), shared);
    for (const Problem &problem : forms) {
        const Result ours = run(GetParam(), problem);
        for (int64_t token : {1, 4}) {
            EXPECT_EQ(0.0f, ours.loss[token]);
            EXPECT_EQ(Floats(6, 0.0f), Floats(ours.hidden_gradient.begin() + token * 6, ours.hidden_gradient.begin() + token * 6 + 6));
            EXPECT_EQ(0.0f, ours.statistics[token * HF_STATISTICS_COUNT + HF_STUDENT_ENTROPY]);
        }
        EXPECT_NE(0.0f, ours.loss[0]);
        EXPECT_TRUE(problem.form == HF_ANCHOR_MEAN || std::isfinite(ours.head_gradient[0])) << describe(problem);
    }
    clean.labels.assign(5, HF_IGNORE_INDEX);
    EXPECT_EQ(0.0, largest(run(GetParam(), clean).head_gradient));
    const Result untouched = run(GetParam(), clean, filled(clean, 3), HF_GRADIENT_ACCUMULATE);
    EXPECT_EQ(Floats(untouched.head_gradient.size(), 3.0f), untouched.head_gradient);
    EXPECT_EQ(Floats(untouched.hidden_gradient.size(), 3.0f), untouched.hidden_gradient);
}

TEST_P(LinearAnchorLoss, TakesNoTokens) {
    Problem problem = random_problem(47, 0, 6, 31);
    EXPECT_EQ(0.0, largest(run(GetParam(), problem).head_gradient));
}

/// A side of weight 0 does not count, be it broken.
TEST_P(LinearAnchorLoss, ReadsNoSideOfWeightZero) {
    Problem problem = random_problem(48, 2, 6, 31);
    problem.shares_head = true;
    problem.form = HF_ANCHOR_MIXED;
    problem.alphas = {0, 1};
    std::fill_n(problem.reference.hidden.begin(), 6, NOT_A_NUMBER);
    std::fill_n(problem.snapshot.hidden.begin() + 6, 6, NOT_A_NUMBER);
    for (float loss : run(GetParam(), problem).loss) {
        EXPECT_TRUE(std::isfinite(loss));
    }
}

TEST_P(LinearAnchorLoss, HasExactlyNoGradientWhereTheStudentIsTheAnchor) {
    Problem problem = random_problem(41, 7, 12, 130);
    problem.shares_head = true;
    problem.snapshot.hidden = problem.reference.hidden = problem.student.hidden;
    for (int32_t form : {HF_ANCHOR_SIDES, HF_ANCHOR_MIXED, HF_ANCHOR_HIDDEN}) {
        problem.form = form;
        const Result ours = run(GetParam(), problem);
        EXPECT_EQ(0.0, largest(ours.hidden_gradient)) << form;
        EXPECT_EQ(0.0, largest(ours.head_gradient)) << form;
        EXPECT_EQ(0.0, largest(ours.loss)) << form;
    }
}

TEST_P(LinearAnchorLoss, AddsToWhatIsThere) {
    Problem shared = random_problem(42, 9, 10, 40);
    shared.shares_head = true;
    for (const Problem &problem : forms_of(GetParam(), shared)) {
        const Result plain = run(GetParam(), problem), sum = run(GetParam(), problem, filled(problem, 1), HF_GRADIENT_ACCUMULATE);
        for (size_t i = 0; i < plain.hidden_gradient.size(); ++i) {
            ASSERT_NEAR(1.0f + plain.hidden_gradient[i], sum.hidden_gradient[i], 0x1p-22);  // sums of about 2 are rounded twice
        }
        for (size_t i = 0; problem.form != HF_ANCHOR_MEAN && i < plain.head_gradient.size(); ++i) {
            // The library adds the nine tokens to 1 one after another.
            ASSERT_NEAR(1.0f + plain.head_gradient[i], sum.head_gradient[i], 9 * 0x1p-22);
        }
    }
}

TEST_P(LinearAnchorLoss, GivesTheSameBitsWithAnyNumberOfThreads) {
    Problem shared = random_problem(43, 67, 48, 2500);
    shared.shares_head = true;
    for (const Problem &problem : forms_of(GetParam(), shared)) {
        if (GetParam().backend == HF_BACKEND_REFERENCE) {
            continue;
        }
        hf_set_thread_count(1);
        const Result one = run(GetParam(), problem);
        for (int64_t threads : {2, 3}) {
            hf_set_thread_count(threads);
            const Result many = run(GetParam(), problem);
            EXPECT_EQ(one.loss, many.loss);
            EXPECT_EQ(one.hidden_gradient, many.hidden_gradient) << describe(problem);
            if (problem.form != HF_ANCHOR_MEAN) {
                EXPECT_EQ(one.head_gradient, many.head_gradient) << describe(problem);
            }
        }
    }
    hf_set_thread_count(2);
}

std::vector<uint16_t> rounded_to_bfloat16(Floats &values) {
    std::vector<uint16_t> bits;
    for (float &value : values) {
        bits.push_back(holdfast::float_to_bfloat(value));
        value = holdfast::bfloat_to_float(bits.back());
    }
    return bits;
}

/// Heads and hidden states stored as bfloat16, in rows that are longer than they need be.
TEST_P(LinearAnchorLoss, ReadsHeadsAndHiddenStatesOfBfloat16) {
    Problem problem = random_problem(44, 9, 20, 70);
    problem.shares_head = true;
    problem.form = HF_ANCHOR_MIXED;
    rounded_to_bfloat16(problem.student.head);
    const std::vector<uint16_t> hidden = rounded_to_bfloat16(problem.student.hidden);
    const Result truth = run(REFERENCE, problem);
    std::vector<uint16_t> head;
    for (int64_t v = 0; v < 70; ++v) {
        Floats row(problem.student.head.begin() + v * 20, problem.student.head.begin() + v * 20 + 20);
        row.resize(23, NOT_A_NUMBER);
        const std::vector<uint16_t> bits = rounded_to_bfloat16(row);
        head.insert(head.end(), bits.begin(), bits.end());
    }
    const Capped cap(GetParam());
    Call call(problem);
    for (hf_linear_logits *side : {&call.student, &call.snapshot, &call.reference}) {
        side->head = head.data();
        side->head_stride = 23;
        side->head_type = HF_BFLOAT16;
    }
    call.student.hidden = hidden.data();
    call.student.hidden_type = HF_BFLOAT16;
    Result ours = filled(problem, NOT_A_NUMBER);
    const hf_linear_anchor_loss_outputs outputs{
        sizeof outputs, ours.loss.data(), ours.statistics.data(), ours.hidden_gradient.data(), ours.head_gradient.data(), 20, 20,
        HF_FLOAT,       HF_FLOAT,         HF_GRADIENT_OVERWRITE,  HF_GRADIENT_OVERWRITE};
    size_t bytes = 0;
    ASSERT_EQ(HF_OK, hf_linear_anchor_loss_workspace_bytes(GetParam().backend, 9, &call.student, &call.anchor, &bytes));
    Workspace workspace(bytes);
    for (int32_t operand_type : {HF_FLOAT, HF_BFLOAT16}) {
        if (GetParam().backend == HF_BACKEND_CPU && !hf_multiplies(operand_type)) {
            continue;
        }
        ASSERT_EQ(HF_OK, hf_linear_anchor_loss(GetParam().backend, 9, &problem.options, operand_type, &call.student, &call.anchor,
                                               &call.tokens, &outputs, workspace.data(), bytes, nullptr, nullptr))
            << hf_last_error();
        if (operand_type == HF_FLOAT) {
            expect_close(problem, truth, ours, "bfloat16");
        } else {
            // The mixed hidden states are rounded: 2^-9 of numbers up to 8, times a head of norm 1, changes a logit by a hundredth or so.
            EXPECT_LE(largest_difference(truth.hidden_gradient, ours.hidden_gradient), 0.02 * largest(problem.student.head));
            EXPECT_LE(largest_difference(truth.head_gradient, ours.head_gradient), 0.02 * largest(problem.student.hidden));
        }
    }
}

double relative_error(const Floats &truth, const Floats &ours) {
    double error = 0, norm = 0;
    for (size_t i = 0; i < truth.size(); ++i) {
        error += std::pow(static_cast<double>(truth[i]) - ours[i], 2);
        norm += std::pow(static_cast<double>(truth[i]), 2);
    }
    return std::sqrt(error / norm);
}

/// What the header says of the forms' accuracy near the anchor: a student whose logits differ from it by about `distance`. The gradient is
/// as large as the distance; by differences it carries the rounding of logits of about 2 once (2^-23 and what log-sum-exps add), by the
/// mean that of every product of two float sums, which is several times as much.
TEST_P(LinearAnchorLoss, KeepsTheGradientPreciseNearTheAnchor) {
    for (double distance : {0.1, 0.01, 0.001}) {
        Problem shared = random_problem(45, 16, 64, 4096, distance);
        shared.shares_head = true;
        shared.alphas.assign(16, 0.0f);
        const Result truth = run(REFERENCE, shared);
        for (int32_t form : {HF_ANCHOR_SIDES, HF_ANCHOR_MIXED}) {
            shared.form = form;
            EXPECT_LE(relative_error(truth.hidden_gradient, run(GetParam(), shared).hidden_gradient), 2e-7 / distance) << distance;
        }
        const Result by_mean = run(GetParam(), with_mean(GetParam(), shared));
        EXPECT_LE(relative_error(truth.hidden_gradient, by_mean.hidden_gradient), 1.5e-6 / distance) << distance;
        EXPECT_LE(largest_difference(truth.loss, by_mean.loss), 1e-6) << distance;  // two units in the last place of a log-sum-exp of 8
    }
}

/// Operands of bfloat16: differences of hidden states keep its 8 bits, whatever the distance. The mean keeps its accuracy only if there is
/// nothing to round; else it would be off by 5 % at a distance of 0.1 and by half at 0.01.
TEST_P(LinearAnchorLoss, KeepsTheGradientPreciseWithOperandsOfBfloat16) {
    if (GetParam().backend == HF_BACKEND_CPU && !hf_multiplies(HF_BFLOAT16)) {
        GTEST_SKIP() << "this machine does not multiply bfloat16";
    }
    for (double distance : {0.1, 0.01}) {
        Problem shared = random_problem(46, 16, 64, 4096, distance);
        shared.shares_head = true;
        shared.alphas.assign(16, 0.0f);
        const Result truth = run(REFERENCE, shared);
        shared.operand_type = HF_BFLOAT16;
        for (int32_t form : {HF_ANCHOR_SIDES, HF_ANCHOR_MIXED}) {
            shared.form = form;
            EXPECT_LE(relative_error(truth.hidden_gradient, run(GetParam(), shared).hidden_gradient), 0x1p-7) << distance;
        }
        rounded_to_bfloat16(shared.student.head);
        rounded_to_bfloat16(shared.student.hidden);
        rounded_to_bfloat16(shared.snapshot.hidden);
        const Result truth_of_rounded = run(REFERENCE, shared), by_mean = run(GetParam(), with_mean(GetParam(), shared));
        EXPECT_LE(relative_error(truth_of_rounded.hidden_gradient, by_mean.hidden_gradient), 1.5e-6 / distance) << distance;
    }
}

// ---- Arguments ---------------------------------------------------------------------------------------------------------------------

/// The workspace of many tokens of a real head, which only needs to be there.
size_t workspace_of(int64_t tokens, int64_t vocabulary_size, int32_t form, Floats &any) {
    const hf_linear_logits side{sizeof side, any.data(), any.data(), 896, vocabulary_size, 896, 896, HF_FLOAT, HF_FLOAT};
    hf_linear_anchor anchor{sizeof anchor, nullptr, &side, nullptr, nullptr, form};
    if (form == HF_ANCHOR_SIDES) {
        anchor.snapshot = &side;
    }
    size_t bytes = 0;
    EXPECT_EQ(HF_OK, hf_linear_anchor_loss_workspace_bytes(HF_BACKEND_CPU, tokens, &side, &anchor, &bytes)) << hf_last_error();
    return bytes;
}

TEST(LinearAnchorLossWorkspace, IsFlatInTheNumberOfTokens) {
    Floats any(1);
    for (int32_t form : {HF_ANCHOR_SIDES, HF_ANCHOR_MIXED, HF_ANCHOR_HIDDEN}) {
        for (int64_t vocabulary_size : {49152, 128256, 151936, 262144}) {
            const size_t bytes = workspace_of(1 << 20, vocabulary_size, form, any);
            EXPECT_LE(bytes, size_t{512} << 20);
            EXPECT_EQ(bytes, workspace_of(1 << 24, vocabulary_size, form, any));
            EXPECT_LT(workspace_of(1, vocabulary_size, form, any), size_t{8} << 20);
        }
    }
    EXPECT_EQ(0u, workspace_of(0, 100, HF_ANCHOR_SIDES, any));
}

TEST_P(LinearAnchorLoss, RefusesBadArgumentsByName) {
    Problem problem = random_problem(50, 2, 4, 8);
    problem.shares_head = true;
    Floats gradient(8), memory(1 << 14);
    const size_t bytes = workspace_bytes(GetParam(), problem);
    ASSERT_LE(bytes, sizeof(float) * memory.size());
    Workspace workspace(bytes);
    struct Arguments {
        hf_anchor_loss_options options;
        int32_t operand_type;
        hf_linear_anchor_loss_outputs outputs;
        void *workspace;
        size_t workspace_bytes;
    };
    auto refusal = [&](auto change, hf_status expected = HF_INVALID_ARGUMENT) {
        Call call(problem);
        Arguments arguments{problem.options,
                            HF_FLOAT,
                            {sizeof(hf_linear_anchor_loss_outputs), nullptr, nullptr, gradient.data(), nullptr, 4, 4, HF_FLOAT, HF_FLOAT,
                             HF_GRADIENT_OVERWRITE, HF_GRADIENT_NONE},
                            workspace.data(),
                            bytes};
        gradient.assign(8, -7);
        change(call, arguments);
        EXPECT_EQ(expected, hf_linear_anchor_loss(GetParam().backend, 2, &arguments.options, arguments.operand_type, &call.student,
                                                  &call.anchor, &call.tokens, &arguments.outputs, arguments.workspace,
                                                  arguments.workspace_bytes, nullptr, nullptr));
        EXPECT_EQ(Floats(8, -7.0f), gradient) << "wrote in spite of the refusal";
        return std::string(hf_last_error());
    };
    EXPECT_EQ("student.hidden: expected a pointer, got NULL", refusal([](Call &c, Arguments &) { c.student.hidden = nullptr; }));
    EXPECT_EQ("anchor.snapshot.head: expected a row stride >= 4, got 3", refusal([](Call &c, Arguments &) { c.snapshot.head_stride = 3; }));
    EXPECT_EQ("anchor.reference.vocabulary_size: expected >= 1, got 0",
              refusal([](Call &c, Arguments &) { c.reference.vocabulary_size = 0; }));
    EXPECT_EQ("anchor.form: expected [0, 3], got 4", refusal([](Call &c, Arguments &) { c.anchor.form = 4; }));
    EXPECT_EQ("anchor.reference: expected the snapshot's head, which HF_ANCHOR_MIXED shares, got another",
              refusal([&](Call &c, Arguments &) {
                  c.anchor.form = HF_ANCHOR_MIXED;
                  c.reference.head = memory.data();
              }));
    EXPECT_EQ("options.interpolation: expected logit (0) with HF_ANCHOR_MIXED, got 1", refusal([](Call &c, Arguments &a) {
                  c.anchor.form = HF_ANCHOR_MIXED;
                  a.options.interpolation = HF_INTERPOLATION_PROBABILITY;
              }));
    EXPECT_EQ("anchor.reference: expected a struct, got NULL", refusal([](Call &c, Arguments &) {
                  c.anchor.form = HF_ANCHOR_HIDDEN;
                  c.anchor.reference = nullptr;
              }));
    EXPECT_NE(std::string::npos, refusal([](Call &c, Arguments &) {
                                     c.anchor.form = HF_ANCHOR_HIDDEN;
                                 }).find("anchor.snapshot: expected NULL with HF_ANCHOR_HIDDEN, got "));
    auto mean = [&](Call &c) { c.anchor = {sizeof c.anchor, nullptr, nullptr, memory.data(), memory.data() + 8, HF_ANCHOR_MEAN}; };
    EXPECT_EQ("options.divergence: expected forward KL (0) with HF_ANCHOR_MEAN, got 1", refusal([&](Call &c, Arguments &a) {
                  mean(c);
                  a.options.divergence = HF_REVERSE_KL;
              }));
    EXPECT_EQ("outputs.head_gradient: expected none with HF_ANCHOR_MEAN, whose head is frozen, got one",
              refusal([&](Call &c, Arguments &a) {
                  mean(c);
                  a.outputs.head_gradient = memory.data() + 64;
                  a.outputs.head_gradient_mode = HF_GRADIENT_OVERWRITE;
              }));
    EXPECT_EQ("tokens.labels[1]: expected [0, 8) or -100, got 8", refusal([&](Call &, Arguments &) { problem.labels[1] = 8; }));
    problem.labels[1] = 0;
    EXPECT_EQ("operand_type: expected float (1) or bfloat16 (16), got 10",
              refusal([](Call &, Arguments &a) { a.operand_type = HF_FLOAT16; }));
    EXPECT_EQ("outputs.hidden_gradient: expected element type 1 (float) on the CPU, got 16",
              refusal([](Call &, Arguments &a) { a.outputs.hidden_gradient_type = HF_BFLOAT16; }, HF_UNSUPPORTED));
    EXPECT_EQ("outputs.hidden_gradient: expected memory apart from student.hidden, got an overlap",
              refusal([&](Call &c, Arguments &) { c.student.hidden = gradient.data(); }));
    if (GetParam().backend == HF_BACKEND_CPU) {
        EXPECT_EQ("workspace_bytes: expected >= " + std::to_string(bytes) + ", got " + std::to_string(bytes - 1),
                  refusal([](Call &, Arguments &a) { --a.workspace_bytes; }));
        EXPECT_NE(std::string::npos, refusal([](Call &, Arguments &a) {
                                         a.workspace = static_cast<char *>(a.workspace) + 4;
                                     }).find("workspace: expected a pointer aligned to its elements"));
        EXPECT_EQ("student.head_type: expected float (1) or bfloat16 (16) on the CPU, got float16 (10)",
                  refusal([](Call &c, Arguments &) { c.student.head_type = HF_FLOAT16; }, HF_UNSUPPORTED));
    }
}

TEST(LinearAnchorLossArguments, RefuseWhatTheMeanCannotBeMadeOf) {
    Floats values(64), mean(8), entropy(2), alphas{0.5f, 1.5f};
    const hf_linear_logits side{sizeof side, values.data(), values.data() + 16, 4, 8, 4, 4, HF_FLOAT, HF_FLOAT};
    hf_linear_logits other = side;
    other.head = values.data() + 20;
    auto refusal = [&](const hf_linear_logits *snapshot, float temperature) {
        EXPECT_EQ(HF_INVALID_ARGUMENT, hf_anchor_mean(HF_BACKEND_REFERENCE, 2, HF_INTERPOLATION_LOGIT, temperature, HF_FLOAT, snapshot,
                                                      &side, alphas.data(), mean.data(), entropy.data(), nullptr, 0, nullptr, nullptr));
        return std::string(hf_last_error());
    };
    EXPECT_EQ("snapshot: expected the reference's head, which both share, got another", refusal(&other, 1));
    EXPECT_EQ("alphas[1]: expected [0, 1], got 1.5", refusal(&side, 1));
    EXPECT_EQ("temperature: expected a finite number > 0, got 0", refusal(nullptr, 0));
}

}  // namespace
