// The entry point that ONNX Runtime looks for in a library of custom operators.
#include "ort/anchor_loss_operator.hpp"
#include "ort/causal_attention_operator.hpp"
#include "ort/decoder_operators.hpp"
#include "ort/gradient_port_operator.hpp"
#include "ort/linear_anchor_loss_operator.hpp"
#include "ort/matrix_product_operator.hpp"
#include "ort/operator.hpp"
#include "ort/seeded_dropout_operator.hpp"

namespace holdfast::ort {
namespace {

using Table = const abi::CustomOp *(*)(const abi::Api *);

/// The operators of every session.
constexpr Table OPERATORS[] = {
    Registration<AnchorLossOperator<HF_BACKEND_CPU>>::table,
    Registration<AnchorLossOperator<HF_BACKEND_CUDA>>::table,
    Registration<EmbeddingGradOperator>::table,
    Registration<AccumulateEmbeddingGradOperator>::table,
    Registration<RmsNormGradOperator>::table,
    Registration<SwiGluOperator>::table,
    Registration<SwiGluGradOperator>::table,
    Registration<SeededDropoutOperator>::table,
    Registration<CausalAttentionOperator>::table,
    Registration<CausalAttentionGradOperator>::table,
    Registration<GradientPortOperator>::table,
};

/// Those that exist for each type of operands; a session gets one of the lists.
template <int32_t OPERAND_TYPE>
constexpr Table PRODUCTS[] = {
    Registration<MatrixProductOperator<OPERAND_TYPE>>::table,
    Registration<MatrixProductOperator<OPERAND_TYPE, HF_BFLOAT16>>::table,
    Registration<AccumulateMatrixProductOperator<OPERAND_TYPE>>::table,
    Registration<LinearAnchorLossOperator<OPERAND_TYPE>>::table,
    Registration<AnchorMeanOperator<OPERAND_TYPE>>::table,
};

/// The value of an entry of a session's configuration; empty if it is missing.
std::string entry(const abi::Api *api, const abi::SessionOptions *options, const char *key) {
    int found = 0;
    check(api, abi::has_session_entry(api, options, key, &found));
    char value[256] = {};
    size_t size = sizeof value;
    if (found != 0) {
        check(api, abi::session_entry(api, options, key, value, &size));
    }
    return value;
}

bool wants_bfloat16(const abi::Api *api, const abi::SessionOptions *options) {
    const std::string type = entry(api, options, OPERAND_TYPE_ENTRY);
    if (!type.empty() && type != "float" && type != "bfloat16") {
        throw Refusal(std::string(OPERAND_TYPE_ENTRY) + ": expected float or bfloat16, got " + type);
    }
    return type == "bfloat16";
}

void register_all(const abi::Api *api, abi::SessionOptions *options) {
    const bool bfloat16 = wants_bfloat16(api, options);
    abi::Domain *domain = nullptr;  // never released: the sessions made from these options go on using it
    check(api, abi::create_domain(api, "dev.holdfast", &domain));
    for (Table table : OPERATORS) {
        check(api, abi::add_operator(api, domain, table(api)));
    }
    for (Table table : bfloat16 ? PRODUCTS<HF_BFLOAT16> : PRODUCTS<HF_FLOAT>) {
        check(api, abi::add_operator(api, domain, table(api)));
    }
    check(api, abi::add_domain(api, options, domain));
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
    return guarded(api, "Holdfast's operators", [&] { register_all(api, options); });
}
