// Entry points of causal attention: check the arguments and share the heads out among tasks.
#include "holdfast/attention.h"

#include <atomic>
#include <cstdlib>

#include "attention/attention.hpp"
#include "core/check.hpp"
#include "core/executor.hpp"
#include "core/instruction_set.hpp"

namespace holdfast {
namespace {

hf_status check_options(const hf_causal_attention_options *options) {
    HF_CHECK(check_struct("options", options));
    HF_CHECK(check_at_least("options.batch_size", 0, options->batch_size));
    HF_CHECK(check_at_least("options.sequence_length", 0, options->sequence_length));
    HF_CHECK(check_at_least("options.key_value_head_count", 1, options->key_value_head_count));
    HF_CHECK(check_at_least("options.head_count", 1, options->head_count));
    HF_CHECK(check_at_least("options.head_size", 1, options->head_size));
    if (options->head_count % options->key_value_head_count != 0) {
        return fail(HF_INVALID_ARGUMENT, "options.head_count: expected a multiple of key_value_head_count (%lld), got %lld",
                    number(options->key_value_head_count), number(options->head_count));
    }
    // Scratch rows are padded by less than 64 floats and there are fewer than eight of them to a query's row.
    int64_t bytes;
    if (options->head_size > INT64_MAX - 64 || __builtin_mul_overflow(options->head_size + 64, options->head_count, &bytes) ||
        __builtin_mul_overflow(bytes, options->sequence_length + 1, &bytes) ||
        __builtin_mul_overflow(bytes, options->batch_size + 1, &bytes) || __builtin_mul_overflow(bytes, int64_t{64}, &bytes)) {
        return fail(HF_INVALID_ARGUMENT, "options: expected tensors of fewer than 2^57 bytes, got more");
    }
    return check_finite("options.scale", static_cast<double>(options->scale));
}

/// The tensors of a call have elements: calls with empty ones end before.
hf_status check_tensor(const char *name, const float *data) { return check_array(name, data, 1, sizeof(float)); }

hf_status check_inputs(const hf_causal_attention_options &options, const hf_causal_attention_inputs *inputs) {
    HF_CHECK(check_struct("inputs", inputs));
    HF_CHECK(check_tensor("inputs.query", inputs->query));
    HF_CHECK(check_tensor("inputs.key", inputs->key));
    HF_CHECK(check_tensor("inputs.value", inputs->value));
    if (inputs->cosines == nullptr && inputs->sines == nullptr) {
        return HF_OK;
    }
    HF_CHECK(check_tensor("inputs.cosines", inputs->cosines));
    HF_CHECK(check_tensor("inputs.sines", inputs->sines));
    if (options.head_size % 2 != 0) {
        return fail(HF_INVALID_ARGUMENT, "options.head_size: expected an even number with rotary positions, got %lld",
                    number(options.head_size));
    }
    return HF_OK;
}

Attention attention_of(const hf_causal_attention_options &options, const hf_causal_attention_inputs &inputs) {
    Attention a{};
    a.batch_size = options.batch_size;
    a.sequence_length = options.sequence_length;
    a.head_count = options.head_count;
    a.key_value_head_count = options.key_value_head_count;
    a.head_size = options.head_size;
    a.scale = options.scale;
    a.query = inputs.query;
    a.key = inputs.key;
    a.value = inputs.value;
    a.cosines = inputs.cosines;
    a.sines = inputs.sines;
    return a;
}

/// Memory that grows on demand and is kept, aligned to cache lines.
class Scratch {
public:
    Scratch() = default;
    ~Scratch() { std::free(memory_); }
    Scratch(const Scratch &) = delete;
    Scratch &operator=(const Scratch &) = delete;

    /// NULL if there is not so much. What was in it may be lost.
    float *of(int64_t floats) {
        if (floats > size_) {
            std::free(memory_);
            memory_ = static_cast<float *>(std::aligned_alloc(64, static_cast<size_t>((floats + 15) / 16 * 64)));
            size_ = memory_ == nullptr ? 0 : floats;
        }
        return memory_;
    }

private:
    float *memory_ = nullptr;
    int64_t size_ = 0;
};

thread_local Scratch scratch_of_thread;
thread_local Scratch sums_of_caller;

const AttentionKernel &kernel() { return *select_variant(&baseline::attention_kernel, &avx2::attention_kernel, &avx512::attention_kernel); }

/// One task per key and value head and its queries' heads, or per query head where that gives too few tasks. Depends on the sizes alone.
class Tasks {
public:
    explicit Tasks(const Attention &attention)
        : attention_(attention), split_(attention.batch_size * attention.key_value_head_count < ENOUGH ? attention.group_size() : 1) {}

    int64_t count() const { return key_value_heads() * split_; }
    int64_t key_value_heads() const { return attention_.batch_size * attention_.key_value_head_count; }
    /// Tasks that share a key and value head; they follow one another.
    int64_t split() const { return split_; }

    AttentionHeads heads(int64_t task) const {
        const int64_t tasks_per_sequence = attention_.key_value_head_count * split_;
        const int64_t heads_per_task = attention_.head_count / tasks_per_sequence;
        return {task / tasks_per_sequence, task % tasks_per_sequence * heads_per_task, heads_per_task};
    }

private:
    static constexpr int64_t ENOUGH = 8;

    const Attention &attention_;
    int64_t split_;
};

hf_status out_of_memory() { return fail(HF_OUT_OF_MEMORY, "scratch memory: expected room for a few times a head's keys, got none"); }

hf_status run_forward(const Attention &attention, const hf_executor *executor) {
    const AttentionKernel &kernels = kernel();
    const Tasks tasks(attention);
    const int64_t scratch_size = kernels.forward_scratch(attention);
    std::atomic<bool> failed{false};
    parallel_for(executor, tasks.count(), [&](int64_t task) {
        if (float *scratch = scratch_of_thread.of(scratch_size)) {
            kernels.forward(attention, tasks.heads(task), scratch);
        } else {
            failed = true;
        }
    });
    return failed ? out_of_memory() : HF_OK;
}

/// Every task sums up the key and value gradients of its heads by itself.
class Backward {
public:
    explicit Backward(const Attention &attention)
        : attention_(attention), tasks_(attention), kernels_(kernel()), sum_(kernels_.key_value_sum(attention)) {}

    hf_status run(const hf_executor *executor) {
        if (tasks_.split() == 1) {
            parallel_for(executor, tasks_.count(), [this](int64_t task) { whole(task); });
            return failed_ ? out_of_memory() : HF_OK;
        }
        float *sums = sums_of_caller.of(2 * sum_ * tasks_.count());
        if (sums == nullptr) {
            return out_of_memory();
        }
        parallel_for(executor, tasks_.count(), [&](int64_t task) { part(task, sums); });
        parallel_for(executor, tasks_.key_value_heads(), [&](int64_t head) { join(head, sums); });
        return failed_ ? out_of_memory() : HF_OK;
    }

private:
    void whole(int64_t task) {
        float *scratch = scratch_of_thread.of(2 * sum_ + kernels_.backward_scratch(attention_));
        if (scratch == nullptr) {
            failed_ = true;
            return;
        }
        const KeyValueSums sums{scratch, scratch + sum_};
        kernels_.backward(attention_, tasks_.heads(task), sums, scratch + 2 * sum_);
        finish(task, sums);
    }

    void part(int64_t task, float *sums) {
        float *scratch = scratch_of_thread.of(kernels_.backward_scratch(attention_));
        if (scratch == nullptr) {
            failed_ = true;
            return;
        }
        kernels_.backward(attention_, tasks_.heads(task), sums_of_task(sums, task), scratch);
    }

    void join(int64_t key_value_head, float *sums) const {
        if (!failed_) {
            finish(key_value_head, sums_of_task(sums, key_value_head * tasks_.split()));
        }
    }

    KeyValueSums sums_of_task(float *sums, int64_t task) const { return {sums + 2 * task * sum_, sums + (2 * task + 1) * sum_}; }

    void finish(int64_t key_value_head, const KeyValueSums &sums) const {
        kernels_.finish(attention_, key_value_head / attention_.key_value_head_count, key_value_head % attention_.key_value_head_count,
                        sums, tasks_.split(), 2 * sum_);
    }

    const Attention &attention_;
    Tasks tasks_;
    const AttentionKernel &kernels_;
    int64_t sum_;
    std::atomic<bool> failed_{false};
};

}  // namespace
}  // namespace holdfast

using namespace holdfast;

extern "C" hf_status hf_causal_attention(int32_t backend, const hf_causal_attention_options *options,
                                         const hf_causal_attention_inputs *inputs, float *output, float *log_sum_exp,
                                         const hf_executor *executor) {
    HF_CHECK(check_backend(backend));
    HF_CHECK(check_options(options));
    if (options->batch_size == 0 || options->sequence_length == 0) {
        return HF_OK;
    }
    HF_CHECK(check_inputs(*options, inputs));
    HF_CHECK(check_tensor("output", output));
    HF_CHECK(check_tensor("log_sum_exp", log_sum_exp));
    HF_CHECK(check_executor(executor));
    Attention attention = attention_of(*options, *inputs);
    attention.output = output;
    attention.log_sum_exp = log_sum_exp;
    if (backend == HF_BACKEND_CPU) {
        return run_forward(attention, executor);
    }
    for (int64_t i = 0; i < attention.batch_size * attention.head_count; ++i) {
        attention_reference(attention, i / attention.head_count, i % attention.head_count);
    }
    return HF_OK;
}

extern "C" hf_status hf_causal_attention_gradient(int32_t backend, const hf_causal_attention_options *options,
                                                  const hf_causal_attention_inputs *inputs, const float *output, const float *log_sum_exp,
                                                  const float *output_gradient, float *query_gradient, float *key_gradient,
                                                  float *value_gradient, const hf_executor *executor) {
    HF_CHECK(check_backend(backend));
    HF_CHECK(check_options(options));
    if (options->batch_size == 0 || options->sequence_length == 0) {
        return HF_OK;
    }
    HF_CHECK(check_inputs(*options, inputs));
    HF_CHECK(check_tensor("output", output));
    HF_CHECK(check_tensor("log_sum_exp", log_sum_exp));
    HF_CHECK(check_tensor("output_gradient", output_gradient));
    HF_CHECK(check_tensor("query_gradient", query_gradient));
    HF_CHECK(check_tensor("key_gradient", key_gradient));
    HF_CHECK(check_tensor("value_gradient", value_gradient));
    HF_CHECK(check_executor(executor));
    Attention attention = attention_of(*options, *inputs);
    attention.given_output = output;
    attention.given_log_sum_exp = log_sum_exp;
    attention.output_gradient = output_gradient;
    attention.query_gradient = query_gradient;
    attention.key_gradient = key_gradient;
    attention.value_gradient = value_gradient;
    if (backend == HF_BACKEND_CPU) {
        return Backward(attention).run(executor);
    }
    for (int64_t i = 0; i < attention.batch_size * attention.key_value_head_count; ++i) {
        attention_gradient_reference(attention, i / attention.key_value_head_count, i % attention.key_value_head_count);
    }
    return HF_OK;
}
