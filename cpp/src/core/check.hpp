// What every entry point asks of its arguments. Each refusal names the argument: "<argument>: expected ..., got ...".
//
// For entry points alone: files that are compiled once per instruction set must not instantiate what stands here.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/error.hpp"

/// Returns from the function with the status of a check that failed.
#define HF_CHECK(expression)                          \
    do {                                              \
        const hf_status status_of_check = expression; \
        if (status_of_check != HF_OK) {               \
            return status_of_check;                   \
        }                                             \
    } while (false)

namespace holdfast {

/// For %lld: int64_t is long here.
inline long long number(int64_t value) { return static_cast<long long>(value); }

template <class Struct>
hf_status check_struct(const char *name, const Struct *value) {
    if (value == nullptr) {
        return fail(HF_INVALID_ARGUMENT, "%s: expected a struct, got NULL", name);
    }
    if (value->struct_size != sizeof(Struct)) {
        return fail(HF_INVALID_ARGUMENT, "%s.struct_size: expected %zu, got %zu", name, sizeof(Struct), value->struct_size);
    }
    return HF_OK;
}

/// A code in [0, last].
hf_status check_code(const char *name, int32_t value, int32_t last);
hf_status check_at_least(const char *name, int64_t smallest, int64_t value);
hf_status check_finite(const char *name, double value);
/// Finite and >= 0.
hf_status check_not_negative(const char *name, double value);
/// Finite and > 0.
hf_status check_positive(const char *name, double value);

/// Aligned to elements of that many bytes, or NULL.
hf_status check_optional_array(const char *name, const void *data, size_t element_bytes);
/// Aligned to elements of that many bytes; NULL only where there are none.
hf_status check_array(const char *name, const void *data, int64_t count, size_t element_bytes);

/// The reference or the CPU: for kernels that CUDA has not.
hf_status check_backend(int32_t backend);
/// NULL, as backends of the host want it.
hf_status check_no_stream(const void *stream);
/// NULL, or a struct with a function.
hf_status check_executor(const hf_executor *executor);

}  // namespace holdfast
