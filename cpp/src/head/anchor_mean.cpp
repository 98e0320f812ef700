// The anchor's mean row of the head and its entropy.
#include "core/executor.hpp"
#include "core/instruction_set.hpp"
#include "head/linear_logits.hpp"
#include "head/linear_reference.hpp"
#include "head/softmax_rows.hpp"
#include "head/workspace.hpp"
#include "loss/anchor_loss.hpp"
#include "loss/anchor_loss_reference.hpp"

namespace holdfast {
namespace {

/// Arguments that were found valid; without a snapshot the reference alone is the anchor.
struct AnchorMean {
    int64_t token_count;
    int32_t interpolation;
    float temperature;
    int32_t operand_type;
    hf_linear_logits snapshot;
    hf_linear_logits reference;
    const float *alphas;
    float *mean;
    float *entropy;

    bool has_snapshot() const { return is_present(snapshot); }
    bool mixes_hidden() const { return has_snapshot() && interpolation == HF_INTERPOLATION_LOGIT; }
    bool mixes_probabilities() const { return has_snapshot() && interpolation == HF_INTERPOLATION_PROBABILITY; }
};

hf_status check_models(int32_t backend, const hf_linear_logits *snapshot, const hf_linear_logits *reference, AnchorMean &anchor) {
    HF_CHECK(check_backend(backend));
    HF_CHECK(check_at_least("token_count", 0, anchor.token_count));
    HF_CHECK(check_code("interpolation", anchor.interpolation, HF_INTERPOLATION_PROBABILITY));
    HF_CHECK(check_linear_logits("reference", reference, anchor.token_count, backend));
    anchor.reference = *reference;
    if (snapshot != nullptr) {
        HF_CHECK(check_linear_logits("snapshot", snapshot, anchor.token_count, backend));
        anchor.snapshot = *snapshot;
        if (!same_head(*snapshot, *reference)) {
            return fail(HF_INVALID_ARGUMENT, "snapshot: expected the reference's head, which both share, got another");
        }
    }
    return HF_OK;
}

hf_status check_alphas(const AnchorMean &anchor) {
    HF_CHECK(check_array("alphas", anchor.alphas, anchor.token_count, sizeof(float)));
    for (int64_t i = 0; i < anchor.token_count; ++i) {
        if (!(anchor.alphas[i] >= 0.0f && anchor.alphas[i] <= 1.0f)) {
            return fail(HF_INVALID_ARGUMENT, "alphas[%lld]: expected [0, 1], got %g", number(i), static_cast<double>(anchor.alphas[i]));
        }
    }
    return HF_OK;
}

hf_status check_overlaps(const AnchorMean &anchor, const void *workspace, size_t workspace_bytes) {
    const int64_t n = anchor.token_count, h = anchor.reference.hidden_size;
    const NamedSpan inputs[] = {{"snapshot.hidden", span_of_hidden(anchor.snapshot, n)},
                                {"reference.hidden", span_of_hidden(anchor.reference, n)},
                                {"reference.head", span_of_head(anchor.reference)},
                                {"alphas", Span(anchor.alphas, n, 1, 1, 4)}};
    const NamedSpan written[] = {{"mean", Span(anchor.mean, n, h, h, 4)},
                                 {"entropy", Span(anchor.entropy, n, 1, 1, 4)},
                                 {"workspace", span_of_bytes(workspace, workspace_bytes)}};
    return check_disjoint(written, inputs);
}

/// The arrays of a chunk of tokens.
struct Chunk {
    int64_t *tokens;
    float *snapshot_hidden, *reference_hidden;  // [capacity, hidden size]
    float *snapshot_logits, *reference_logits;  // [capacity, vocabulary]; the first only where probabilities are mixed
    int64_t bytes;

    Chunk(const AnchorMean &anchor, int64_t capacity, void *workspace) {
        Pieces pieces(workspace);
        tokens = pieces.take<int64_t>(capacity);
        snapshot_hidden = pieces.take<float>(capacity * anchor.snapshot.hidden_size);
        reference_hidden = pieces.take<float>(capacity * anchor.reference.hidden_size);
        snapshot_logits = pieces.take<float>(anchor.mixes_probabilities() ? capacity * anchor.snapshot.vocabulary_size : 0);
        reference_logits = pieces.take<float>(capacity * anchor.reference.vocabulary_size);
        bytes = pieces.bytes();
    }
};

int64_t capacity_of(const AnchorMean &anchor) { return tokens_per_chunk(anchor.token_count, Chunk(anchor, 1, nullptr).bytes); }

size_t workspace_needed(int32_t backend, const AnchorMean &anchor) {
    return backend == HF_BACKEND_REFERENCE ? 0 : static_cast<size_t>(Chunk(anchor, capacity_of(anchor), nullptr).bytes);
}

class ChunkedMean {
public:
    ChunkedMean(const AnchorMean &anchor, void *workspace, const hf_executor *executor)
        : anchor_(anchor), capacity_(capacity_of(anchor)), chunk_(anchor, capacity_, workspace), executor_(executor) {}

    hf_status run() {
        for (begin_ = 0; begin_ < anchor_.token_count; begin_ += capacity_) {
            count_ = begin_ + capacity_ < anchor_.token_count ? capacity_ : anchor_.token_count - begin_;
            gather();
            HF_CHECK(multiply_logits());
            HF_CHECK(replace_by_probabilities());
            // In float whatever the operands' type: the loss takes differences of this mean.
            HF_CHECK(multiply_by_rows_of_head(anchor_.reference, HF_FLOAT, chunk_.reference_logits, count_,
                                              anchor_.mean + begin_ * anchor_.reference.hidden_size, executor_));
        }
        return HF_OK;
    }

private:
    void gather() const {
        for (int64_t row = 0; row < count_; ++row) {
            chunk_.tokens[row] = begin_ + row;
        }
        gather_hidden(anchor_.snapshot, chunk_.tokens, count_, chunk_.snapshot_hidden);
        gather_hidden(anchor_.reference, chunk_.tokens, count_, chunk_.reference_hidden);
        const int64_t hidden_size = anchor_.reference.hidden_size;
        for (int64_t row = 0; anchor_.mixes_hidden() && row < count_; ++row) {
            mix_hidden(anchor_.alphas[begin_ + row], hidden_size, chunk_.snapshot_hidden + row * hidden_size,
                       chunk_.reference_hidden + row * hidden_size);
        }
    }

    hf_status multiply_logits() const {
        if (anchor_.mixes_probabilities()) {
            HF_CHECK(multiply(chunk_.snapshot_hidden, chunk_.snapshot_logits));
        }
        return multiply(anchor_.mixes_hidden() ? chunk_.snapshot_hidden : chunk_.reference_hidden, chunk_.reference_logits);
    }

    hf_status multiply(const float *hidden, float *logits) const {
        return multiply_by_head(anchor_.reference, anchor_.operand_type, hidden, count_, logits, 0.0f, executor_);
    }

    /// Leaves the anchor's probabilities in place of the reference's logits.
    hf_status replace_by_probabilities() const {
        HF_CHECK(softmax(chunk_.reference_logits, [&](int64_t row, const RowSummary &summary) { put_entropy(row, summary.entropy); }));
        if (!anchor_.mixes_probabilities()) {
            return HF_OK;
        }
        const MixRows mix = select_variant<MixRows>(baseline::mix_rows, avx2::mix_rows, avx512::mix_rows);
        return softmax(chunk_.snapshot_logits, [&](int64_t row, const RowSummary &) {
            const int64_t vocabulary_size = anchor_.reference.vocabulary_size, offset = row * vocabulary_size;
            put_entropy(row, mix(chunk_.reference_logits + offset, chunk_.snapshot_logits + offset, vocabulary_size,
                                 1.0f - anchor_.alphas[begin_ + row]));
        });
    }

    template <class Visit>
    hf_status softmax(float *logits, Visit &&visit) const {
        return softmax_rows(logits, count_, anchor_.reference.vocabulary_size, anchor_.temperature, nullptr, executor_, visit);
    }

    void put_entropy(int64_t row, double entropy) const { anchor_.entropy[begin_ + row] = static_cast<float>(entropy); }

    const AnchorMean &anchor_;
    const int64_t capacity_;
    const Chunk chunk_;
    const hf_executor *executor_;
    int64_t begin_ = 0;
    int64_t count_ = 0;
};

/// The same as plainly as possible, in double precision.
void anchor_mean_reference(const AnchorMean &anchor) {
    const hf_linear_logits &head = anchor.reference;
    for (int64_t token = 0; token < anchor.token_count; ++token) {
        const std::vector<double> r = linear_row(anchor.reference, token, head.vocabulary_size);
        const Distribution q = anchor.has_snapshot()
                                   ? anchor_of(anchor.interpolation, anchor.temperature,
                                               linear_row(anchor.snapshot, token, head.vocabulary_size), r, anchor.alphas[token])
                                   : softmax(r, anchor.temperature);
        anchor.entropy[token] = static_cast<float>(entropy(q));
        for (int64_t i = 0; i < head.hidden_size; ++i) {
            double sum = 0;
            for (int64_t v = 0; v < head.vocabulary_size; ++v) {
                sum += q.probability(static_cast<size_t>(v)) * head_at(head, v, i);
            }
            anchor.mean[token * head.hidden_size + i] = static_cast<float>(sum);
        }
    }
}

}  // namespace
}  // namespace holdfast

using namespace holdfast;

extern "C" hf_status hf_anchor_mean(int32_t backend, int64_t token_count, int32_t interpolation, float temperature, int32_t operand_type,
                                    const hf_linear_logits *snapshot, const hf_linear_logits *reference, const float *alphas, float *mean,
                                    float *entropy, void *workspace, size_t workspace_bytes, const hf_executor *executor, void *stream) {
    AnchorMean anchor{token_count, interpolation, temperature, operand_type, {}, {}, alphas, mean, entropy};
    HF_CHECK(check_models(backend, snapshot, reference, anchor));
    HF_CHECK(check_no_stream(stream));
    HF_CHECK(check_positive("temperature", static_cast<double>(temperature)));
    if (anchor.has_snapshot()) {
        HF_CHECK(check_alphas(anchor));
    }
    HF_CHECK(check_array("mean", mean, token_count, sizeof(float)));
    HF_CHECK(check_array("entropy", entropy, token_count, sizeof(float)));
    HF_CHECK(check_executor(executor));
    HF_CHECK(check_workspace(workspace, workspace_bytes, workspace_needed(backend, anchor)));
    HF_CHECK(check_overlaps(anchor, workspace, workspace_bytes));
    HF_CHECK(check_operand_type(operand_type, backend));
    if (backend == HF_BACKEND_REFERENCE) {
        anchor_mean_reference(anchor);
        return HF_OK;
    }
    return ChunkedMean(anchor, workspace, executor).run();
}

extern "C" hf_status hf_anchor_mean_workspace_bytes(int32_t backend, int64_t token_count, int32_t interpolation,
                                                    const hf_linear_logits *snapshot, const hf_linear_logits *reference,
                                                    size_t *workspace_bytes) {
    AnchorMean anchor{};
    anchor.token_count = token_count;
    anchor.interpolation = interpolation;
    HF_CHECK(check_models(backend, snapshot, reference, anchor));
    HF_CHECK(check_array("workspace_bytes", workspace_bytes, 1, sizeof(size_t)));
    *workspace_bytes = workspace_needed(backend, anchor);
    return HF_OK;
}
