// What the fake of libholdfast_cuda.so notes and answers; nothing is computed.
#pragma once

#include "cuda/backend.hpp"

namespace holdfast::testing {

struct FakeCuda {
    CudaResult answer;           // of every function
    size_t workspace_bytes = 0;  // that anchor_loss wants

    int calls = 0;
    AnchorLoss loss{};  // of the last call, like what follows
    void *workspace = nullptr;
    size_t given_workspace_bytes = 0;
    void *stream = nullptr;
    hf_anchor_loss_tokens tokens{};
    const float *token_loss = nullptr;
    float *sum = nullptr;
    void *target = nullptr;
    const void *source = nullptr;
    size_t bytes = 0;
};

/// Exported beside the table.
extern "C" FakeCuda *fake_cuda();

}  // namespace holdfast::testing
