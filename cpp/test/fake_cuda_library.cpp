#include "fake_cuda_library.hpp"

#include <cstring>

namespace holdfast::testing {
namespace {

FakeCuda fake;

CudaResult answer(void *stream = nullptr) {
    ++fake.calls;
    fake.stream = stream;
    return fake.answer;
}

size_t anchor_loss_workspace_bytes(const AnchorLoss &loss) {
    fake.loss = loss;
    return fake.workspace_bytes;
}

CudaResult anchor_loss(const AnchorLoss &loss, void *workspace, size_t workspace_bytes, void *stream) {
    fake.loss = loss;
    fake.workspace = workspace;
    fake.given_workspace_bytes = workspace_bytes;
    return answer(stream);
}

CudaResult anchor_loss_sum(int64_t token_count, const hf_anchor_loss_tokens &tokens, const float *token_loss, float *sum, void *stream) {
    fake.loss.token_count = token_count;
    fake.tokens = tokens;
    fake.token_loss = token_loss;
    fake.sum = sum;
    return answer(stream);
}

CudaResult current_device(hf_cuda_device &device) {
    std::strcpy(device.name, "a fake");
    device.compute_capability = 90;
    return answer();
}

CudaResult allocate(size_t bytes, void **memory) {
    fake.bytes = bytes;
    *memory = &fake;
    return answer();
}

CudaResult free_memory(void *memory) {
    fake.target = memory;
    return answer();
}

CudaResult copy(void *target, const void *source, size_t bytes, void *stream) {
    fake.target = target;
    fake.source = source;
    fake.bytes = bytes;
    return answer(stream);
}

CudaResult synchronize(void *stream) { return answer(stream); }

CudaResult start_timer(void *stream, void **timer) {
    *timer = &fake;
    return answer(stream);
}

CudaResult stop_timer(void *timer, void *stream, float *milliseconds) {
    fake.target = timer;
    *milliseconds = 1.5f;
    return answer(stream);
}

constexpr CudaBackend TABLE{HOLDFAST_FAKE_VERSION,
                            "a fake",
                            anchor_loss_workspace_bytes,
                            anchor_loss,
                            anchor_loss_sum,
                            current_device,
                            allocate,
                            free_memory,
                            copy,
                            synchronize,
                            start_timer,
                            stop_timer};

}  // namespace

extern "C" HF_EXPORT FakeCuda *fake_cuda() { return &fake; }

}  // namespace holdfast::testing

extern "C" HF_EXPORT const holdfast::CudaBackend *holdfast::hf_cuda_backend() { return &testing::TABLE; }
