#include <algorithm>
#include <initializer_list>

#include "cuda/launch_plan.hpp"

namespace holdfast::cuda {
namespace {

constexpr int64_t GROUP_BYTES = 16;
constexpr int32_t ANY_TYPE = 0;

int64_t rounded_up(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }
int64_t divided_up(int64_t value, int64_t divisor) { return (value + divisor - 1) / divisor; }

AnchorKind anchor_of(const AnchorLoss &loss) {
    const bool wants_statistics = loss.outputs.statistics != nullptr;
    if (loss.has_reference() && (loss.options.kd_weight > 0.0f || wants_statistics)) {
        return loss.options.interpolation == HF_INTERPOLATION_LOGIT ? AnchorKind::LOGITS : AnchorKind::PROBABILITIES;
    }
    return loss.has_snapshot() && wants_statistics ? AnchorKind::SNAPSHOT_ALONE : AnchorKind::STUDENT_ALONE;
}

/// The sides that are read; absent ones have no data.
struct Sides {
    hf_logits student, snapshot, reference;

    Sides(const AnchorLoss &loss, AnchorKind anchor) : student(loss.student), snapshot(), reference() {
        if (anchor != AnchorKind::STUDENT_ALONE) {
            snapshot = loss.snapshot;
        }
        if (anchor == AnchorKind::LOGITS || anchor == AnchorKind::PROBABILITIES) {
            reference = loss.reference;
        }
    }

    int count() const { return 1 + (snapshot.data != nullptr) + (reference.data != nullptr); }

    int64_t width() const { return std::max({student.vocabulary_size, snapshot.vocabulary_size, reference.vocabulary_size}); }
};

int64_t bytes_of(const hf_logits &rows) { return element_bytes(rows.element_type); }

/// Whether each row begins at the same place within 16 bytes as the student's row of the same token.
bool lies_like(const hf_logits &student, const void *data, int64_t stride, int32_t type) {
    const auto place = [](const void *pointer) { return static_cast<int64_t>(reinterpret_cast<uintptr_t>(pointer) % GROUP_BYTES); };
    return type == student.element_type && place(data) == place(student.data) &&
           (stride - student.row_stride) * bytes_of(student) % GROUP_BYTES == 0;
}

bool lie_alike(const Sides &sides) {
    for (const hf_logits &side : {sides.snapshot, sides.reference}) {
        if (side.data != nullptr && !lies_like(sides.student, side.data, side.row_stride, side.element_type)) {
            return false;
        }
    }
    return true;
}

/// Groups that a row has at most; one more than its length says where it does not begin at a group.
int64_t groups_of_row(const Sides &sides, int32_t element_type) {
    if (element_type == ANY_TYPE) {
        return divided_up(sides.width(), 4);
    }
    const int64_t columns = GROUP_BYTES / element_bytes(element_type);
    const bool begins_at_groups = reinterpret_cast<uintptr_t>(sides.student.data) % GROUP_BYTES == 0 &&
                                  sides.student.row_stride * bytes_of(sides.student) % GROUP_BYTES == 0;
    return divided_up(sides.width() + (begins_at_groups ? 0 : columns - 1), columns);
}

int64_t on_chip_bytes(const Sides &sides, int64_t groups, int cluster) {
    return BOARD_BYTES + sides.count() * divided_up(groups, cluster) * GROUP_BYTES;
}

/// The fewest blocks of which two fit into a multiprocessor, for one to compute while the other's rows arrive; else as many as every device
/// grants, or more, if one fits; 0 if the rows do not fit.
int on_chip_cluster(const Sides &sides, int64_t groups, const device::DeviceProperties &device) {
    constexpr int RESERVED_BYTES = 1024;
    const bool grants_16 = device.architecture == 90 || device.architecture == 100;
    for (int cluster : {1, 2, 4, 8, 16}) {
        const int64_t bytes = on_chip_bytes(sides, groups, cluster);
        if ((cluster <= 8 || grants_16) && bytes <= device.shared_bytes_per_block &&
            2 * (bytes + RESERVED_BYTES) <= device.shared_bytes_per_multiprocessor) {
            return cluster;
        }
    }
    for (int cluster : {8, 16}) {
        if ((cluster <= 8 || grants_16) && on_chip_bytes(sides, groups, cluster) <= device.shared_bytes_per_block) {
            return cluster;
        }
    }
    return 0;
}

/// Where blocks can share long rows they do: the fewer rows are under way, the more of them the cache still has for the next walk.
int streamed_cluster(int64_t groups, int threads, const device::DeviceProperties &device) {
    constexpr int CLUSTER = 8;
    return device.architecture >= 90 && groups >= 2 * CLUSTER * threads ? CLUSTER : 1;
}

/// Whole warps, as many walks through the block's groups as the most threads would need.
int threads_for(int64_t groups, int most) {
    return static_cast<int>(std::max<int64_t>(32, rounded_up(divided_up(groups, divided_up(groups, most)), 32)));
}

Rows rows_of(const hf_logits &logits) {
    return {logits.data, logits.vocabulary_size, logits.row_stride * bytes_of(logits), logits.element_type};
}

}  // namespace

LaunchPlan plan(const AnchorLoss &loss, const device::DeviceProperties &device) {
    LaunchPlan plan{};
    plan.anchor = anchor_of(loss);
    plan.divergence = loss.options.kd_weight > 0.0f ? loss.options.divergence : HF_FORWARD_KL;
    const Sides sides(loss, plan.anchor);
    plan.element_type = lie_alike(sides) ? loss.student.element_type : ANY_TYPE;
    const int64_t groups = groups_of_row(sides, plan.element_type);
    const bool may_keep = device.architecture >= 90 && plan.element_type != ANY_TYPE && plan.anchor != AnchorKind::SNAPSHOT_ALONE;
    const int keeping_cluster = may_keep ? on_chip_cluster(sides, groups, device) : 0;
    plan.path = keeping_cluster > 0 ? Path::ON_CHIP : Path::STREAMED;
    const int most_threads = plan.path == Path::ON_CHIP ? ON_CHIP_THREADS : STREAMED_THREADS;
    plan.cluster = plan.path == Path::ON_CHIP ? keeping_cluster : streamed_cluster(groups, most_threads, device);
    plan.groups_per_block = divided_up(groups, plan.cluster);
    plan.threads = threads_for(plan.groups_per_block, most_threads);
    plan.shared_bytes = plan.path == Path::ON_CHIP ? on_chip_bytes(sides, groups, plan.cluster) : BOARD_BYTES;
    return plan;
}

LossArguments arguments_of(const AnchorLoss &loss, const LaunchPlan &plan) {
    const Sides sides(loss, plan.anchor);
    const hf_anchor_loss_outputs &out = loss.outputs;
    LossArguments arguments{};
    arguments.student = rows_of(sides.student);
    arguments.snapshot = rows_of(sides.snapshot);
    arguments.reference = rows_of(sides.reference);
    if (loss.wants_gradient()) {
        arguments.gradient = {out.student_gradient,
                              loss.student.vocabulary_size,
                              out.gradient_stride * element_bytes(out.gradient_type),
                              out.gradient_type,
                              out.gradient_mode == HF_GRADIENT_ACCUMULATE,
                              lies_like(loss.student, out.student_gradient, out.gradient_stride, out.gradient_type)};
    }
    arguments.labels = loss.tokens.labels;
    arguments.weights = loss.tokens.weights;
    arguments.alphas = loss.tokens.alphas;
    arguments.token_loss = out.token_loss;
    arguments.statistics = out.statistics;
    arguments.width = sides.width();
    arguments.groups_per_block = static_cast<int32_t>(plan.groups_per_block);
    arguments.temperature = loss.options.temperature;
    arguments.exponent_scale = static_cast<float>(1.4426950408889634 / static_cast<double>(loss.options.temperature));
    arguments.kd_weight = loss.options.kd_weight;
    arguments.ce_weight = loss.options.ce_weight;
    arguments.beta = loss.options.beta;
    arguments.weights_by_probability = loss.options.label_weighting == HF_LABEL_WEIGHTING_DFT;
    return arguments;
}

}  // namespace holdfast::cuda
