// A library of operators for tests under ONNX Runtime: the AnchorLoss of the CUDA kernels, registered for one provider and for no other.
#include "holdfast/cuda.h"
#include "ort/anchor_loss_operator.hpp"

namespace {

using namespace holdfast::ort;

struct CudaAnchorLossOperator : AnchorLossOperator<HF_BACKEND_CUDA> {
    static constexpr const char *PROVIDER = HOLDFAST_PROVIDER;
    using AnchorLossOperator::AnchorLossOperator;
};

void register_operator(const abi::Api *api, abi::SessionOptions *options) {
    if (CudaAnchorLossOperator::PROVIDER == CPU_PROVIDER) {
        check(hf_open_cuda_library(HOLDFAST_EMULATED_CUDA_LIBRARY));
    }
    abi::Domain *domain = nullptr;
    check(api, abi::create_domain(api, "dev.holdfast", &domain));
    check(api, abi::add_operator(api, domain, Registration<CudaAnchorLossOperator>::table(api)));
    check(api, abi::add_domain(api, options, domain));
}

}  // namespace

extern "C" HF_EXPORT abi::Status RegisterCustomOps(abi::SessionOptions *options, const abi::ApiBase *base) {
    const abi::Api *api = base->GetApi(abi::API_VERSION);
    return guarded(api, "operators on CUDA", [&] { register_operator(api, options); });
}
