// How the caller's workspace is cut into the arrays of one chunk of tokens.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/check.hpp"

namespace holdfast {

constexpr int64_t WORKSPACE_ALIGNMENT = 64;
constexpr int64_t MOST_WORKSPACE_BYTES = int64_t{512} << 20;

/// Head and head gradient pass through the caches once per chunk: with half as many tokens products of bfloat16 take an eighth longer, with
/// an eighth twice as long. Beyond that there is little to gain and much memory to take.
constexpr int64_t MOST_TOKENS_PER_CHUNK = 512;

/// Hands out aligned arrays one after another; over no memory it only counts.
class Pieces {
public:
    explicit Pieces(void *memory) : memory_(static_cast<char *>(memory)) {}

    template <class Element>
    Element *take(int64_t count) {
        Element *piece = memory_ == nullptr ? nullptr : reinterpret_cast<Element *>(memory_ + bytes_);
        bytes_ += (count * static_cast<int64_t>(sizeof(Element)) + WORKSPACE_ALIGNMENT - 1) / WORKSPACE_ALIGNMENT * WORKSPACE_ALIGNMENT;
        return piece;
    }
    int64_t bytes() const { return bytes_; }

private:
    char *memory_;
    int64_t bytes_ = 0;
};

/// Tokens of a chunk, given what one token needs: as many as the workspace holds, in chunks of about the same size.
inline int64_t tokens_per_chunk(int64_t token_count, int64_t bytes_per_token) {
    int64_t most = MOST_WORKSPACE_BYTES / bytes_per_token;
    most = most < 1 ? 1 : most < MOST_TOKENS_PER_CHUNK ? most : MOST_TOKENS_PER_CHUNK;
    const int64_t chunks = (token_count + most - 1) / most;
    return chunks == 0 ? 0 : (token_count + chunks - 1) / chunks;
}

inline hf_status check_workspace(const void *workspace, size_t workspace_bytes, size_t needed) {
    if (workspace_bytes < needed) {
        return fail(HF_INVALID_ARGUMENT, "workspace_bytes: expected >= %zu, got %zu", needed, workspace_bytes);
    }
    return needed == 0 ? HF_OK : check_array("workspace", workspace, static_cast<int64_t>(needed), WORKSPACE_ALIGNMENT);
}

}  // namespace holdfast
