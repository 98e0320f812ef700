// The memory of arguments, to refuse outputs that overlap what is read. For entry points alone, as check.hpp is.
#pragma once

#include <cstdint>

#include "core/check.hpp"

namespace holdfast {

/// Bytes [begin, end) that rows occupy.
struct Span {
    uintptr_t begin = 0;
    uintptr_t end = 0;

    Span() = default;
    Span(const void *data, int64_t rows, int64_t columns, int64_t stride, int64_t bytes) {
        if (data != nullptr && rows > 0) {
            begin = reinterpret_cast<uintptr_t>(data);
            end = begin + static_cast<uintptr_t>(((rows - 1) * stride + columns) * bytes);
        }
    }

    bool overlaps(const Span &other) const { return begin < other.end && other.begin < end; }
};

inline Span span_of_bytes(const void *data, size_t bytes) {
    return Span(data, 1, static_cast<int64_t>(bytes), static_cast<int64_t>(bytes), 1);
}

inline hf_status check_disjoint(const char *name, const Span &span, const char *other_name, const Span &other) {
    return span.overlaps(other) ? fail(HF_INVALID_ARGUMENT, "%s: expected memory apart from %s, got an overlap", name, other_name) : HF_OK;
}

struct NamedSpan {
    const char *name;
    Span span;
};

inline hf_status check_disjoint(const NamedSpan &written, const NamedSpan &other) {
    return check_disjoint(written.name, written.span, other.name, other.span);
}

/// What is written overlaps neither what is read nor one another.
template <size_t WRITTEN, size_t READ>
hf_status check_disjoint(const NamedSpan (&written)[WRITTEN], const NamedSpan (&read)[READ]) {
    for (size_t i = 0; i < WRITTEN; ++i) {
        for (const NamedSpan &input : read) {
            HF_CHECK(check_disjoint(written[i], input));
        }
        for (size_t other = 0; other < i; ++other) {
            HF_CHECK(check_disjoint(written[i], written[other]));
        }
    }
    return HF_OK;
}

}  // namespace holdfast
