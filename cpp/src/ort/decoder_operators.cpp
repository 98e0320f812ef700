#include "ort/decoder_operators.hpp"

#include "ort/bulk.hpp"

namespace holdfast::ort {
namespace {

int64_t last(const Dimensions &shape) { return shape.empty() ? 1 : shape.back(); }

/// Row numbers in [0, rows); negative ones count from the end, as Gather has it.
std::vector<int64_t> checked_rows(const Tensor &ids, int64_t rows) {
    std::vector<int64_t> checked(ids.as<int64_t>(), ids.as<int64_t>() + ids.elements());
    for (size_t i = 0; i < checked.size(); ++i) {
        if (checked[i] < -rows || checked[i] >= rows) {
            throw Refusal("ids[" + std::to_string(i) + "]: expected [0, " + std::to_string(rows) + "), got " + std::to_string(checked[i]));
        }
        checked[i] += checked[i] < 0 ? rows : 0;
    }
    return checked;
}

/// dy of an embedding: a row for every id.
Tensor rows_of(const Context &context, const Tensor &ids) {
    Dimensions shape = ids.shape;
    shape.push_back(-1);
    return context.input(1, shape);
}

/// Every task adds all rows in their order, but only its columns: no two write to one place, and sums have one order.
void scatter_add(const Context &context, const std::vector<int64_t> &rows, const float *source, int64_t hidden, float *target) {
    constexpr int64_t COLUMNS = 64;
    const DecoderKernels &kernels = decoder_kernels();
    parallel_for(context.executor(), (hidden + COLUMNS - 1) / COLUMNS, [&](int64_t task) {
        const int64_t begin = task * COLUMNS, count = begin + COLUMNS < hidden ? COLUMNS : hidden - begin;
        for (size_t i = 0; i < rows.size(); ++i) {
            kernels.add(target + rows[i] * hidden + begin, source + static_cast<int64_t>(i) * hidden + begin, count);
        }
    });
}

}  // namespace

void EmbeddingGradOperator::compute(Context &context) const {
    const Tensor ids = context.input(0), dy = rows_of(context, ids);
    const int64_t hidden = last(dy.shape);
    const Tensor base = context.input(2, {-1, hidden});
    const int64_t vocabulary = base.present ? base.shape[0] : vocabulary_size_;
    if (vocabulary < 1) {
        throw Refusal("attribute vocabulary_size: expected a number >= 1 where base is absent, got " + std::to_string(vocabulary));
    }
    const std::vector<int64_t> rows = checked_rows(ids, vocabulary);
    float *target = context.output_data<float>(0, {vocabulary, hidden});
    if (!base.present) {
        clear(context, target, vocabulary * hidden);
    } else if (base.data != target) {
        copy(context, base.as<float>(), target, vocabulary * hidden);
    }
    scatter_add(context, rows, dy.as<float>(), hidden, target);
}

void AccumulateEmbeddingGradOperator::compute(Context &context) const {
    const Tensor ids = context.input(0), dy = rows_of(context, ids);
    const int64_t hidden = last(dy.shape);
    const Tensor total = context.input(2, {-1, hidden});
    const std::vector<int64_t> rows = checked_rows(ids, total.shape[0]);
    float *target = context.aliased_output<float>(0, total);
    if (context.input(3, {1}).is_set()) {
        clear(context, target, total.elements());
    }
    scatter_add(context, rows, dy.as<float>(), hidden, target);
}

void RmsNormGradOperator::compute(Context &context) const {
    const Tensor x = context.input(1);
    const int64_t hidden = last(x.shape), rows = hidden == 0 ? 0 : x.elements() / hidden;
    const RmsNormGrad work{hidden,
                           epsilon_,
                           context.input(0, x.shape).as<float>(),
                           x.as<float>(),
                           context.input(2, {hidden}).as<float>(),
                           context.input(3, x.shape).as<float>(),
                           context.output_data<float>(0, x.shape)};
    // Blocks of a fixed size: their partial sums are added in order, whoever computed them.
    constexpr int64_t ROWS = 32;
    const int64_t blocks = (rows + ROWS - 1) / ROWS;
    std::vector<float> partial(static_cast<size_t>(blocks * hidden));
    const DecoderKernels &kernels = decoder_kernels();
    parallel_for(context.executor(), blocks, [&](int64_t block) {
        const int64_t begin = block * ROWS, end = begin + ROWS < rows ? begin + ROWS : rows;
        kernels.rms_norm_grad(work, begin, end, partial.data() + block * hidden);
    });
    float *d_scale = context.output_data<float>(1, {hidden});
    std::memset(d_scale, 0, static_cast<size_t>(hidden) * sizeof(float));
    for (int64_t block = 0; block < blocks; ++block) {
        kernels.add(d_scale, partial.data() + block * hidden, hidden);
    }
}

void SwiGluOperator::compute(Context &context) const {
    const Tensor gate = context.input(0), up = context.input(1, gate.shape);
    float *y = context.output_data<float>(0, gate.shape);
    const DecoderKernels &kernels = decoder_kernels();
    parallel_ranges(context.executor(), gate.elements(), FLOATS_PER_TASK, [&](int64_t begin, int64_t end) {
        kernels.swiglu(gate.as<float>() + begin, up.as<float>() + begin, y + begin, end - begin);
    });
}

void SwiGluGradOperator::compute(Context &context) const {
    const Tensor gate = context.input(1), dy = context.input(0, gate.shape), up = context.input(2, gate.shape);
    float *d_gate = context.output_data<float>(0, gate.shape);
    float *d_up = context.output_data<float>(1, gate.shape);
    const DecoderKernels &kernels = decoder_kernels();
    parallel_ranges(context.executor(), gate.elements(), FLOATS_PER_TASK, [&](int64_t begin, int64_t end) {
        kernels.swiglu_grad(dy.as<float>() + begin, gate.as<float>() + begin, up.as<float>() + begin, d_gate + begin, d_up + begin,
                            end - begin);
    });
}

}  // namespace holdfast::ort
