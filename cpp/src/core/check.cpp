#include "core/check.hpp"

#include <cmath>

namespace holdfast {

hf_status check_code(const char *name, int32_t value, int32_t last) {
    if (value < 0 || value > last) {
        return fail(HF_INVALID_ARGUMENT, "%s: expected [0, %d], got %d", name, last, value);
    }
    return HF_OK;
}

hf_status check_at_least(const char *name, int64_t smallest, int64_t value) {
    if (value < smallest) {
        return fail(HF_INVALID_ARGUMENT, "%s: expected >= %lld, got %lld", name, number(smallest), number(value));
    }
    return HF_OK;
}

hf_status check_finite(const char *name, double value) {
    if (!std::isfinite(value)) {
        return fail(HF_INVALID_ARGUMENT, "%s: expected a finite number, got %g", name, value);
    }
    return HF_OK;
}

hf_status check_not_negative(const char *name, double value) {
    if (!(value >= 0) || std::isinf(value)) {
        return fail(HF_INVALID_ARGUMENT, "%s: expected a finite number >= 0, got %g", name, value);
    }
    return HF_OK;
}

hf_status check_positive(const char *name, double value) {
    if (!(value > 0) || std::isinf(value)) {
        return fail(HF_INVALID_ARGUMENT, "%s: expected a finite number > 0, got %g", name, value);
    }
    return HF_OK;
}

hf_status check_optional_array(const char *name, const void *data, size_t element_bytes) {
    if (reinterpret_cast<uintptr_t>(data) % element_bytes != 0) {
        return fail(HF_INVALID_ARGUMENT, "%s: expected a pointer aligned to its elements, got %p", name, data);
    }
    return HF_OK;
}

hf_status check_array(const char *name, const void *data, int64_t count, size_t element_bytes) {
    if (data == nullptr && count > 0) {
        return fail(HF_INVALID_ARGUMENT, "%s: expected a pointer, got NULL", name);
    }
    return check_optional_array(name, data, element_bytes);
}

hf_status check_backend(int32_t backend) {
    if (backend == HF_BACKEND_CUDA) {
        return fail(HF_UNSUPPORTED, "backend: expected the reference (0) or the CPU (1), got CUDA (2), which has no such kernel");
    }
    return check_code("backend", backend, HF_BACKEND_CUDA);
}

hf_status check_no_stream(const void *stream) {
    return stream == nullptr ? HF_OK : fail(HF_INVALID_ARGUMENT, "stream: expected NULL on the CPU, got %p", stream);
}

hf_status check_executor(const hf_executor *executor) {
    if (executor == nullptr) {
        return HF_OK;
    }
    HF_CHECK(check_struct("executor", executor));
    if (executor->parallel_for == nullptr) {
        return fail(HF_INVALID_ARGUMENT, "executor.parallel_for: expected a function, got NULL");
    }
    return HF_OK;
}

}  // namespace holdfast
