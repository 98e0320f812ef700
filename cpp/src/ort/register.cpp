// The entry point that ONNX Runtime looks for in a library of custom operators.
#include "ort/anchor_loss_operator.hpp"
#include "ort/causal_attention_operator.hpp"
#include "ort/decoder_operators.hpp"
#include "ort/gradient_port_operator.hpp"
#include "ort/operator.hpp"

namespace holdfast::ort {
namespace {

using Table = const abi::CustomOp *(*)(const abi::Api *);

/// Every operator of the domain.
constexpr Table OPERATORS[] = {
    Registration<AnchorLossOperator>::table,          Registration<EmbeddingGradOperator>::table,
    Registration<RmsNormGradOperator>::table,         Registration<SwiGluOperator>::table,
    Registration<SwiGluGradOperator>::table,          Registration<CausalAttentionOperator>::table,
    Registration<CausalAttentionGradOperator>::table, Registration<GradientPortOperator>::table,
};

abi::Status register_all(const abi::Api *api, abi::SessionOptions *options) {
    abi::Domain *domain = nullptr;  // never released: the sessions made from these options go on using it
    if (abi::Status failure = abi::create_domain(api, "dev.holdfast", &domain)) {
        return failure;
    }
    for (Table table : OPERATORS) {
        if (abi::Status failure = abi::add_operator(api, domain, table(api))) {
            return failure;
        }
    }
    return abi::add_domain(api, options, domain);
}

}  // namespace
}  // namespace holdfast::ort

extern "C" HF_EXPORT holdfast::ort::abi::Status RegisterCustomOps(holdfast::ort::abi::SessionOptions *options,
                                                                  const holdfast::ort::abi::ApiBase *base) {
    using namespace holdfast::ort;
    const abi::Api *api = base->GetApi(abi::API_VERSION);
    if (api == nullptr) {
        return abi::create_status(base->GetApi(1), abi::GENERIC_FAILURE,
                                  "Holdfast's operators: expected ONNX Runtime 1.18 or later, got an older one");
    }
    return register_all(api, options);
}
