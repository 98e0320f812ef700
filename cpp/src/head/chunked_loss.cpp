// The fused loss on the CPU. Tokens that take part are gathered into chunks; a chunk's logits lie in the workspace, where the loss replaces
// the student's by their gradient, which the products with head and hidden states then take.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/executor.hpp"
#include "head/linear_anchor_loss.hpp"
#include "head/softmax_rows.hpp"
#include "head/workspace.hpp"
#include "product/product.hpp"

namespace holdfast {
namespace {

/// The arrays of a chunk of tokens.
struct Chunk {
    int64_t *tokens, *labels;
    float *weights, *alphas;
    float *token_loss, *statistics;
    float *label_scales;                                         // ce_weight * omega
    float *student_hidden, *snapshot_hidden, *reference_hidden;  // [capacity, hidden size of the side]
    float *student_logits, *snapshot_logits, *reference_logits;  // [capacity, vocabulary of the side]; the gradient in the first
    float *differences;                                          // of hidden states
    float *hidden_gradient;                                      // [capacity, hidden size of the student]
    int64_t bytes;

    Chunk(const LinearAnchorLoss &loss, int64_t capacity, void *workspace) {
        Pieces pieces(workspace);
        const bool mixes = loss.form == HF_ANCHOR_MIXED;
        tokens = pieces.take<int64_t>(capacity);
        labels = pieces.take<int64_t>(capacity);
        weights = pieces.take<float>(capacity);
        alphas = pieces.take<float>(capacity);
        token_loss = pieces.take<float>(capacity);
        statistics = pieces.take<float>(capacity * HF_STATISTICS_COUNT);
        label_scales = pieces.take<float>(capacity);
        student_hidden = pieces.take<float>(capacity * loss.student.hidden_size);
        snapshot_hidden = pieces.take<float>(capacity * loss.snapshot.hidden_size);
        reference_hidden = pieces.take<float>(capacity * loss.reference.hidden_size);
        student_logits = pieces.take<float>(capacity * loss.student.vocabulary_size);
        snapshot_logits = pieces.take<float>(mixes ? 0 : capacity * loss.snapshot.vocabulary_size);
        reference_logits = pieces.take<float>(capacity * loss.reference.vocabulary_size);
        differences = pieces.take<float>(capacity * std::max(loss.student.hidden_size, loss.snapshot.hidden_size));
        hidden_gradient = pieces.take<float>(capacity * loss.student.hidden_size);
        bytes = pieces.bytes();
    }
};

int64_t capacity_of(const LinearAnchorLoss &loss) { return tokens_per_chunk(loss.token_count, Chunk(loss, 1, nullptr).bytes); }

hf_logits dense_rows(const float *data, int64_t vocabulary_size) {
    return {sizeof(hf_logits), data, vocabulary_size, vocabulary_size, HF_FLOAT};
}

class ChunkedLoss {
public:
    ChunkedLoss(const LinearAnchorLoss &loss, void *workspace, const hf_executor *executor)
        : loss_(loss), capacity_(capacity_of(loss)), chunk_(loss, capacity_, workspace), executor_(executor) {}

    hf_status run() {
        int64_t next = fill(0);
        if (count_ == 0) {
            clear_head_gradient();
        }
        for (bool first = true; count_ > 0; first = false, next = fill(next)) {
            HF_CHECK(multiply_logits());
            HF_CHECK(loss_.form == HF_ANCHOR_MEAN ? replace_by_probabilities() : replace_by_gradients());
            HF_CHECK(multiply_gradients(first));
            write_results();
        }
        return HF_OK;
    }

private:
    /// Collects tokens from `next` on; returns the one to go on with.
    int64_t fill(int64_t next) {
        count_ = 0;
        for (; next < loss_.token_count && count_ < capacity_; ++next) {
            if (loss_.is_ignored(next)) {
                write_ignored(loss_, next);
                continue;
            }
            chunk_.tokens[count_] = next;
            chunk_.labels[count_] = loss_.tokens.labels[next];
            chunk_.weights[count_] = loss_.tokens.weights[next];
            // Where hidden states are mixed, and where the caller has mixed them, the reference's logits are the anchor's.
            chunk_.alphas[count_] = loss_.form == HF_ANCHOR_SIDES && loss_.reads_alphas() ? loss_.tokens.alphas[next] : 1.0f;
            ++count_;
        }
        return next;
    }

    /// One side's part of the chunk.
    struct Side {
        const hf_linear_logits &model;
        float *hidden;
        float *logits;
    };

    hf_status multiply_logits() const {
        const Side student{loss_.student, chunk_.student_hidden, chunk_.student_logits};
        const Side snapshot{loss_.snapshot, chunk_.snapshot_hidden, chunk_.snapshot_logits};
        const Side reference{loss_.reference, chunk_.reference_hidden, chunk_.reference_logits};
        for (const Side *side : {&student, &snapshot, &reference}) {
            gather_hidden(side->model, chunk_.tokens, count_, side->hidden);
        }
        if (loss_.form == HF_ANCHOR_MIXED) {
            const Side mixed{loss_.reference, chunk_.snapshot_hidden, chunk_.reference_logits};
            mix();
            HF_CHECK(multiply_side(mixed, nullptr));
            return multiply_side(student, &mixed);
        }
        const Side &base = loss_.has_snapshot() ? snapshot : reference;
        HF_CHECK(multiply_side(base, nullptr));
        HF_CHECK(loss_.has_snapshot() ? multiply_side(reference, &base) : HF_OK);
        return multiply_side(student, &base);
    }

    /// A side with the head of `base` is multiplied by what its hidden states differ in, which is what the loss is made of: its rounding
    /// is then one of the difference, be the operands bfloat16.
    hf_status multiply_side(const Side &side, const Side *base) const {
        if (!is_present(side.model)) {
            return HF_OK;
        }
        if (base == nullptr || !same_head(side.model, base->model)) {
            return multiply_by_head(side.model, loss_.operand_type, side.hidden, count_, side.logits, 0.0f, executor_);
        }
        for (int64_t i = 0; i < count_ * side.model.hidden_size; ++i) {
            chunk_.differences[i] = side.hidden[i] - base->hidden[i];
        }
        parallel_for(executor_, count_, [&](int64_t row) {
            const int64_t offset = row * side.model.vocabulary_size;
            std::memcpy(side.logits + offset, base->logits + offset, static_cast<size_t>(side.model.vocabulary_size) * sizeof(float));
        });
        return multiply_by_head(side.model, loss_.operand_type, chunk_.differences, count_, side.logits, 1.0f, executor_);
    }

    void mix() const {
        const int64_t hidden_size = loss_.snapshot.hidden_size;
        for (int64_t row = 0; row < count_; ++row) {
            const int64_t offset = row * hidden_size;
            mix_hidden(loss_.tokens.alphas[chunk_.tokens[row]], hidden_size, chunk_.snapshot_hidden + offset,
                       chunk_.reference_hidden + offset);
        }
    }

    bool wants_gradient() const { return loss_.wants_hidden_gradient() || loss_.wants_head_gradient(); }

    hf_status replace_by_gradients() const {
        const int64_t vocabulary_size = loss_.student.vocabulary_size;
        AnchorLoss rows{count_, loss_.options, dense_rows(chunk_.student_logits, vocabulary_size), {}, {}, {}, {}};
        if (loss_.form == HF_ANCHOR_SIDES && loss_.has_snapshot()) {
            rows.snapshot = dense_rows(chunk_.snapshot_logits, loss_.snapshot.vocabulary_size);
        }
        if (loss_.has_reference()) {
            rows.reference = dense_rows(chunk_.reference_logits, loss_.reference.vocabulary_size);
        }
        rows.tokens = {sizeof rows.tokens, chunk_.labels, chunk_.weights, chunk_.alphas};
        rows.outputs = {sizeof rows.outputs,
                        chunk_.token_loss,
                        loss_.outputs.statistics == nullptr ? nullptr : chunk_.statistics,
                        chunk_.student_logits,
                        vocabulary_size,
                        HF_FLOAT,
                        wants_gradient() ? HF_GRADIENT_OVERWRITE : HF_GRADIENT_NONE};
        return anchor_loss_rows(HF_BACKEND_CPU, rows, executor_);
    }

    hf_status replace_by_probabilities() const {
        const int64_t vocabulary_size = loss_.student.vocabulary_size;
        return softmax_rows(chunk_.student_logits, count_, vocabulary_size, loss_.options.temperature, chunk_.labels, executor_,
                            [&](int64_t row, const RowSummary &summary) { put_loss_of_mean(row, summary); });
    }

    void put_loss_of_mean(int64_t row, const RowSummary &summary) const {
        const int64_t token = chunk_.tokens[row], hidden_size = loss_.student.hidden_size;
        double expected_logit = 0;
        for (int64_t i = 0; i < hidden_size; ++i) {
            expected_logit += static_cast<double>(loss_.mean[token * hidden_size + i]) * chunk_.student_hidden[row * hidden_size + i];
        }
        double kl = summary.log_sum_exp - expected_logit * summary.inverse_temperature - loss_.entropy[token];
        kl = kl < 0 ? 0 : kl;
        const bool dft = loss_.options.label_weighting == HF_LABEL_WEIGHTING_DFT;
        const double label_scale = loss_.options.ce_weight * (dft ? std::exp(summary.label_log_probability) : 1.0);
        chunk_.label_scales[row] = static_cast<float>(label_scale);
        const double divergence = loss_.options.kd_weight > 0 ? loss_.options.kd_weight * kl : 0.0;
        const double hard = label_scale == 0 ? 0.0 : -label_scale * summary.label_log_probability;
        chunk_.token_loss[row] = static_cast<float>(divergence + hard);
        float *statistics = chunk_.statistics + row * HF_STATISTICS_COUNT;
        statistics[HF_KL_ANCHOR_STUDENT] = static_cast<float>(kl);
        statistics[HF_STUDENT_ENTROPY] = static_cast<float>(summary.entropy);
        statistics[HF_STUDENT_LOG_SUM_EXP] = static_cast<float>(summary.log_sum_exp);
        statistics[HF_LABEL_LOG_PROBABILITY] = static_cast<float>(summary.label_log_probability);
        statistics[HF_LABEL_IS_ARGMAX] = summary.label_is_argmax ? 1 : 0;
    }

    hf_status multiply_gradients(bool first) const {
        if (loss_.wants_hidden_gradient()) {
            // Of probabilities the mean is still to be subtracted, which would bring the rounding of bfloat16 to light.
            const int32_t operand_type = loss_.form == HF_ANCHOR_MEAN ? HF_FLOAT : loss_.operand_type;
            HF_CHECK(
                multiply_by_rows_of_head(loss_.student, operand_type, chunk_.student_logits, count_, chunk_.hidden_gradient, executor_));
        }
        return loss_.wants_head_gradient() ? multiply_head_gradient(first) : HF_OK;
    }

    hf_status multiply_head_gradient(bool first) const {
        MatrixProduct product;
        product.m = loss_.student.vocabulary_size;
        product.n = loss_.student.hidden_size;
        product.k = count_;
        product.transpose_a = true;
        product.operand_type = loss_.operand_type;
        product.beta = first && loss_.outputs.head_gradient_mode == HF_GRADIENT_OVERWRITE ? 0.0f : 1.0f;
        product.a = chunk_.student_logits;
        product.a_stride = loss_.student.vocabulary_size;
        product.b = chunk_.student_hidden;
        product.b_stride = loss_.student.hidden_size;
        product.c = loss_.head_gradient(0);
        product.c_stride = loss_.outputs.head_gradient_stride;
        return multiply(HF_BACKEND_CPU, product, executor_);
    }

    void clear_head_gradient() const {
        const bool overwrites = loss_.wants_head_gradient() && loss_.outputs.head_gradient_mode == HF_GRADIENT_OVERWRITE;
        for (int64_t column = 0; overwrites && column < loss_.student.vocabulary_size; ++column) {
            std::memset(loss_.head_gradient(column), 0, static_cast<size_t>(loss_.student.hidden_size) * sizeof(float));
        }
    }

    void write_results() const {
        for (int64_t row = 0; row < count_; ++row) {
            const int64_t token = chunk_.tokens[row];
            if (loss_.outputs.token_loss != nullptr) {
                loss_.outputs.token_loss[token] = chunk_.token_loss[row];
            }
            for (int64_t column = 0; loss_.outputs.statistics != nullptr && column < HF_STATISTICS_COUNT; ++column) {
                loss_.outputs.statistics[token * HF_STATISTICS_COUNT + column] =
                    has_statistic(loss_.form, column) ? chunk_.statistics[row * HF_STATISTICS_COUNT + column] : 0.0f;
            }
            if (loss_.wants_hidden_gradient()) {
                float *gradient = chunk_.hidden_gradient + row * loss_.student.hidden_size;
                if (loss_.form == HF_ANCHOR_MEAN) {
                    subtract_mean(row, gradient);
                }
                write_hidden_gradient(token, gradient);
            }
        }
    }

    /// From transpose(W) p_s to weight / temperature * ((kd + ce omega) transpose(W) p_s - kd mu - ce omega W_y).
    void subtract_mean(int64_t row, float *gradient) const {
        const int64_t hidden_size = loss_.student.hidden_size;
        const float *mean = loss_.mean + chunk_.tokens[row] * hidden_size;
        const double scale = static_cast<double>(chunk_.weights[row]) / loss_.options.temperature;
        const double kd = loss_.options.kd_weight, ce = chunk_.label_scales[row];
        for (int64_t i = 0; i < hidden_size; ++i) {
            const double label = ce == 0 ? 0.0 : ce * head_at(loss_.student, chunk_.labels[row], i);
            gradient[i] = static_cast<float>(scale * ((kd + ce) * gradient[i] - kd * mean[i] - label));
        }
    }

    void write_hidden_gradient(int64_t token, const float *gradient) const {
        float *target = loss_.hidden_gradient(token);
        const bool accumulates = loss_.outputs.hidden_gradient_mode == HF_GRADIENT_ACCUMULATE;
        for (int64_t i = 0; i < loss_.student.hidden_size; ++i) {
            target[i] = accumulates ? target[i] + gradient[i] : gradient[i];
        }
    }

    const LinearAnchorLoss &loss_;
    const int64_t capacity_;
    const Chunk chunk_;
    const hf_executor *executor_;
    int64_t count_ = 0;
};

}  // namespace

size_t chunked_workspace_bytes(const LinearAnchorLoss &loss) { return static_cast<size_t>(Chunk(loss, capacity_of(loss), nullptr).bytes); }

hf_status linear_anchor_loss_in_chunks(const LinearAnchorLoss &loss, void *workspace, const hf_executor *executor) {
    return ChunkedLoss(loss, workspace, executor).run();
}

}  // namespace holdfast
