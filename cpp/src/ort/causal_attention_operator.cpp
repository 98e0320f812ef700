#include "ort/causal_attention_operator.hpp"

#include <cmath>

#include "holdfast/attention.h"

namespace holdfast::ort {
namespace {

enum Output { OUTPUT, LOG_SUM_EXP };
enum GradientInput { OUTPUT_GRADIENT, QUERY, KEY, VALUE, GIVEN_OUTPUT, GIVEN_LOG_SUM_EXP };
enum GradientOutput { QUERY_GRADIENT, KEY_GRADIENT, VALUE_GRADIENT };

/// Query, key, value and, behind `angles`, cosines and sines, with the sizes that they agree on.
class AttentionCall {
public:
    AttentionCall(const Context &context, const AttentionAttributes &attributes, size_t query, size_t angles)
        : query_(context.input(query, {-1, -1, -1})),
          key_(context.input(query + 1, {query_.shape[0], query_.shape[1], key_width(attributes)})),
          options_{sizeof options_,      query_.shape[0],         query_.shape[1],
                   attributes.num_heads, attributes.kv_num_heads, query_.shape[2] / attributes.num_heads,
                   attributes.scale} {
        const Tensor value = context.input(query + 2, key_.shape);
        inputs_ = {sizeof inputs_,    query_.as<float>(),     key_.as<float>(),
                   value.as<float>(), table(context, angles), table(context, angles + 1)};
    }

    const hf_causal_attention_options *options() const { return &options_; }
    const hf_causal_attention_inputs *inputs() const { return &inputs_; }
    const Dimensions &query_shape() const { return query_.shape; }
    const Dimensions &key_shape() const { return key_.shape; }
    Dimensions log_sum_exp_shape() const { return {query_.shape[0], options_.head_count, query_.shape[1]}; }

private:
    int64_t key_width(const AttentionAttributes &attributes) const {
        if (query_.shape[2] % attributes.num_heads != 0) {
            throw Refusal("query: expected a width that is a multiple of num_heads (" + std::to_string(attributes.num_heads) + "), got " +
                          std::to_string(query_.shape[2]));
        }
        return query_.shape[2] / attributes.num_heads * attributes.kv_num_heads;
    }

    const float *table(const Context &context, size_t index) const {
        const Tensor table = context.input(index, {-1, options_.head_size / 2});
        if (table.present && table.shape[0] < options_.sequence_length) {
            throw Refusal("input " + std::to_string(index) + ": expected a row for each of " + std::to_string(options_.sequence_length) +
                          " positions, got " + std::to_string(table.shape[0]));
        }
        return table.as<float>();
    }

    Tensor query_;
    Tensor key_;
    hf_causal_attention_options options_;
    hf_causal_attention_inputs inputs_;
};

}  // namespace

AttentionAttributes::AttentionAttributes(const Attributes &attributes)
    : num_heads(attributes.integer("num_heads")), kv_num_heads(attributes.integer("kv_num_heads")), scale(attributes.number("scale", NAN)) {
    if (num_heads < 1 || kv_num_heads < 1 || num_heads % kv_num_heads != 0) {
        throw Refusal("attribute num_heads: expected a positive multiple of kv_num_heads (" + std::to_string(kv_num_heads) + "), got " +
                      std::to_string(num_heads));
    }
    if (!std::isfinite(scale)) {
        throw Refusal("attribute scale: expected a finite number, got " + std::to_string(scale));
    }
}

void CausalAttentionOperator::compute(Context &context) const {
    const AttentionCall call(context, attributes_, 0, 3);
    check(hf_causal_attention(HF_BACKEND_CPU, call.options(), call.inputs(), context.output_data<float>(OUTPUT, call.query_shape()),
                              context.output_data<float>(LOG_SUM_EXP, call.log_sum_exp_shape()), context.executor()));
}

void CausalAttentionOperator::infer_shapes(ShapeInference &inference) {
    const SymbolicShape query = inference.input(0);
    inference.output(OUTPUT, query);
    const SymbolicShape heads = ShapeInference::fixed({-1});  // an attribute, which shape inference is not shown
    inference.output(LOG_SUM_EXP, ShapeInference::concatenated(ShapeInference::concatenated(ShapeInference::axis(query, 0), heads),
                                                               ShapeInference::axis(query, 1)));
}

void CausalAttentionGradOperator::compute(Context &context) const {
    const AttentionCall call(context, attributes_, QUERY, 6);
    const Tensor output_gradient = context.input(OUTPUT_GRADIENT, call.query_shape());
    const Tensor output = context.input(GIVEN_OUTPUT, call.query_shape());
    const Tensor log_sum_exp = context.input(GIVEN_LOG_SUM_EXP, call.log_sum_exp_shape());
    check(hf_causal_attention_gradient(HF_BACKEND_CPU, call.options(), call.inputs(), output.as<float>(), log_sum_exp.as<float>(),
                                       output_gradient.as<float>(), context.output_data<float>(QUERY_GRADIENT, call.query_shape()),
                                       context.output_data<float>(KEY_GRADIENT, call.key_shape()),
                                       context.output_data<float>(VALUE_GRADIENT, call.key_shape()), context.executor()));
}

void CausalAttentionGradOperator::infer_shapes(ShapeInference &inference) {
    inference.output(QUERY_GRADIENT, inference.input(QUERY));
    inference.output(KEY_GRADIENT, inference.input(KEY));
    inference.output(VALUE_GRADIENT, inference.input(VALUE));
}

}  // namespace holdfast::ort
