// Entry points of AdamW and of the gradient norm: check the arguments and hand chunks of elements to an implementation.
#include "optimizer/adamw.hpp"

#include <cmath>

#include "core/check.hpp"
#include "core/executor.hpp"
#include "core/instruction_set.hpp"
#include "holdfast/adamw.h"

namespace holdfast {
namespace {

hf_status check_beta(const char *name, double value) {
    if (!(value >= 0 && value < 1)) {
        return fail(HF_INVALID_ARGUMENT, "%s: expected [0, 1), got %g", name, value);
    }
    return HF_OK;
}

hf_status check_options(const hf_adamw_options *options) {
    HF_CHECK(check_struct("options", options));
    HF_CHECK(check_not_negative("options.learning_rate", options->learning_rate));
    HF_CHECK(check_beta("options.beta1", options->beta1));
    HF_CHECK(check_beta("options.beta2", options->beta2));
    HF_CHECK(check_positive("options.epsilon", options->epsilon));
    HF_CHECK(check_not_negative("options.weight_decay", options->weight_decay));
    HF_CHECK(check_finite("options.gradient_scale", options->gradient_scale));
    return check_at_least("options.step", 1, options->step);
}

hf_status check_counts(const char *count_name, int64_t count, const char *name, const int64_t *element_counts) {
    HF_CHECK(check_at_least(count_name, 0, count));
    HF_CHECK(check_array(name, element_counts, count, sizeof(int64_t)));
    int64_t bytes = 0;
    for (int64_t i = 0; i < count; ++i) {
        int64_t bytes_here;
        if (element_counts[i] < 0 || __builtin_mul_overflow(element_counts[i], int64_t{4}, &bytes_here) ||
            __builtin_add_overflow(bytes, bytes_here, &bytes)) {
            return fail(HF_INVALID_ARGUMENT, "%s[%lld]: expected >= 0 and fewer than 2^63 bytes in all, got %lld", name, number(i),
                        number(element_counts[i]));
        }
    }
    return HF_OK;
}

template <class Pointer>
hf_status check_addresses(const char *name, const Pointer *addresses, int64_t count, const int64_t *element_counts) {
    HF_CHECK(check_array(name, addresses, count, sizeof(Pointer)));
    for (int64_t i = 0; i < count; ++i) {
        const void *address = addresses[i];
        const bool misaligned = reinterpret_cast<uintptr_t>(address) % sizeof(float) != 0;
        if (misaligned || (address == nullptr && element_counts[i] > 0)) {
            return fail(HF_INVALID_ARGUMENT, "%s[%lld]: expected a pointer aligned to its elements, got %p", name, number(i), address);
        }
    }
    return HF_OK;
}

hf_status check_tensors(const hf_adamw_tensors *tensors) {
    HF_CHECK(check_struct("tensors", tensors));
    const int64_t count = tensors->count;
    const int64_t *element_counts = tensors->element_counts;
    HF_CHECK(check_counts("tensors.count", count, "tensors.element_counts", element_counts));
    HF_CHECK(check_addresses("tensors.parameters", tensors->parameters, count, element_counts));
    HF_CHECK(check_addresses("tensors.gradients", tensors->gradients, count, element_counts));
    HF_CHECK(check_addresses("tensors.first_moments", tensors->first_moments, count, element_counts));
    return check_addresses("tensors.second_moments", tensors->second_moments, count, element_counts);
}

/// The elements of all tensors, one tensor behind the other, cut into chunks of one size: equal work for every thread, and cuts that do not
/// depend on how many threads there are.
class Chunks {
public:
    Chunks(int64_t tensor_count, const int64_t *element_counts) : tensor_count_(tensor_count), element_counts_(element_counts) {
        for (int64_t tensor = 0; tensor < tensor_count; ++tensor) {
            total_ += element_counts[tensor];
        }
    }

    int64_t count() const { return (total_ + SIZE - 1) / SIZE; }

    /// Calls visit(tensor, offset, length) for the pieces of a chunk, in order.
    template <class Visit>
    void visit(int64_t chunk, Visit &&visit) const {
        int64_t skip = chunk * SIZE;
        int64_t wanted = total_ - skip < SIZE ? total_ - skip : SIZE;
        for (int64_t tensor = 0; wanted > 0 && tensor < tensor_count_; ++tensor) {
            const int64_t available = element_counts_[tensor] - skip;
            if (available <= 0) {
                skip -= element_counts_[tensor];
                continue;
            }
            const int64_t length = available < wanted ? available : wanted;
            visit(tensor, skip, length);
            wanted -= length;
            skip = 0;
        }
    }

private:
    static constexpr int64_t SIZE = 65536;

    int64_t tensor_count_;
    const int64_t *element_counts_;
    int64_t total_ = 0;
};

AdamwStep coefficients(const hf_adamw_options &options) {
    const double t = static_cast<double>(options.step);
    return {options.learning_rate * options.weight_decay,
            options.learning_rate / (1 - std::pow(options.beta1, t)),
            options.beta1,
            options.beta2,
            1 / std::sqrt(1 - std::pow(options.beta2, t)),
            options.epsilon,
            options.gradient_scale};
}

/// The chunks' sums are added in the chunks' order, PARTIAL_SUMS at a time.
double sum_chunks(const Chunks &chunks, const float *const *gradients, SumOfSquares sum_of_squares, const hf_executor *executor) {
    constexpr int64_t PARTIAL_SUMS = 1024;
    double partial_sums[PARTIAL_SUMS];
    double total = 0;
    for (int64_t first = 0; first < chunks.count(); first += PARTIAL_SUMS) {
        const int64_t count = chunks.count() - first < PARTIAL_SUMS ? chunks.count() - first : PARTIAL_SUMS;
        parallel_for(executor, count, [&](int64_t index) {
            double sum = 0;
            chunks.visit(first + index, [&](int64_t tensor, int64_t offset, int64_t length) {
                sum += sum_of_squares(length, gradients[tensor] + offset);
            });
            partial_sums[index] = sum;
        });
        for (int64_t index = 0; index < count; ++index) {
            total += partial_sums[index];
        }
    }
    return total;
}

}  // namespace
}  // namespace holdfast

using namespace holdfast;

extern "C" hf_status hf_adamw(int32_t backend, const hf_adamw_options *options, const hf_adamw_tensors *tensors,
                              const hf_executor *executor) {
    HF_CHECK(check_backend(backend));
    HF_CHECK(check_options(options));
    HF_CHECK(check_tensors(tensors));
    HF_CHECK(check_executor(executor));
    const AdamwUpdate update = backend == HF_BACKEND_REFERENCE
                                   ? adamw_reference
                                   : select_variant<AdamwUpdate>(baseline::adamw_update, avx2::adamw_update, avx512::adamw_update);
    const AdamwStep step = coefficients(*options);
    const Chunks chunks(tensors->count, tensors->element_counts);
    parallel_for(executor, chunks.count(), [&](int64_t chunk) {
        chunks.visit(chunk, [&](int64_t tensor, int64_t offset, int64_t length) {
            update(step, length, tensors->parameters[tensor] + offset, tensors->gradients[tensor] + offset,
                   tensors->first_moments[tensor] + offset, tensors->second_moments[tensor] + offset);
        });
    });
    return HF_OK;
}

extern "C" hf_status hf_gradient_norm(int32_t backend, int64_t tensor_count, const int64_t *element_counts, const float *const *gradients,
                                      double *norm, const hf_executor *executor) {
    HF_CHECK(check_backend(backend));
    HF_CHECK(check_counts("tensor_count", tensor_count, "element_counts", element_counts));
    HF_CHECK(check_addresses("gradients", gradients, tensor_count, element_counts));
    HF_CHECK(check_executor(executor));
    HF_CHECK(check_array("norm", norm, 1, sizeof(double)));
    const SumOfSquares sum_of_squares =
        backend == HF_BACKEND_REFERENCE
            ? sum_of_squares_reference
            : select_variant<SumOfSquares>(baseline::sum_of_squares, avx2::sum_of_squares, avx512::sum_of_squares);
    *norm = std::sqrt(sum_chunks(Chunks(tensor_count, element_counts), gradients, sum_of_squares, executor));
    return HF_OK;
}
