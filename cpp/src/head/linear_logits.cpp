#include "head/linear_logits.hpp"

#include <cstdio>
#include <cstring>

#include "core/check.hpp"
#include "loss/anchor_loss.hpp"
#include "product/product.hpp"

namespace holdfast {
namespace {

/// "<side>.<field>"
class Name {
public:
    Name(const char *side, const char *field) { std::snprintf(text_, sizeof text_, "%s.%s", side, field); }
    operator const char *() const { return text_; }

private:
    char text_[48];
};

MatrixProduct product_with_head(const hf_linear_logits &logits, int32_t operand_type, int64_t count) {
    MatrixProduct product;
    product.m = count;
    product.operand_type = operand_type;
    product.b = logits.head;
    product.b_stride = logits.head_stride;
    product.b_type = logits.head_type;
    return product;
}

}  // namespace

Span span_of_hidden(const hf_linear_logits &side, int64_t token_count) {
    return Span(side.hidden, token_count, side.hidden_size, side.hidden_stride, element_bytes(side.hidden_type));
}

Span span_of_head(const hf_linear_logits &side) {
    return Span(side.head, side.vocabulary_size, side.hidden_size, side.head_stride, element_bytes(side.head_type));
}

hf_status check_linear_logits(const char *name, const hf_linear_logits *logits, int64_t token_count, int32_t backend) {
    HF_CHECK(check_struct(name, logits));
    HF_CHECK(check_at_least(Name(name, "hidden_size"), 1, logits->hidden_size));
    HF_CHECK(check_at_least(Name(name, "vocabulary_size"), 1, logits->vocabulary_size));
    HF_CHECK(
        check_rows(Name(name, "hidden"), logits->hidden, token_count, logits->hidden_size, logits->hidden_stride, logits->hidden_type));
    HF_CHECK(
        check_rows(Name(name, "head"), logits->head, logits->vocabulary_size, logits->hidden_size, logits->head_stride, logits->head_type));
    if (backend == HF_BACKEND_CPU && logits->head_type == HF_FLOAT16) {
        return fail(HF_UNSUPPORTED, "%s.head_type: expected float (1) or bfloat16 (16) on the CPU, got float16 (10)", name);
    }
    return HF_OK;
}

hf_status check_operand_type(int32_t operand_type, int32_t backend) {
    if (operand_type != HF_FLOAT && operand_type != HF_BFLOAT16) {
        return fail(HF_INVALID_ARGUMENT, "operand_type: expected float (1) or bfloat16 (16), got %d", operand_type);
    }
    return backend == HF_BACKEND_CPU ? check_multiplies(operand_type) : HF_OK;
}

void gather_hidden(const hf_linear_logits &logits, const int64_t *tokens, int64_t count, float *target) {
    for (int64_t row = 0; row < count; ++row, target += logits.hidden_size) {
        if (logits.hidden_type == HF_FLOAT) {
            std::memcpy(target, static_cast<const float *>(logits.hidden) + tokens[row] * logits.hidden_stride,
                        static_cast<size_t>(logits.hidden_size) * sizeof(float));
            continue;
        }
        for (int64_t i = 0; i < logits.hidden_size; ++i) {
            target[i] = static_cast<float>(hidden_at(logits, tokens[row], i));
        }
    }
}

void mix_hidden(float alpha, int64_t hidden_size, float *c, const float *r) {
    if (alpha == 0.0f) {
        return;
    }
    for (int64_t i = 0; i < hidden_size; ++i) {
        c[i] = alpha == 1.0f ? r[i] : c[i] + alpha * (r[i] - c[i]);
    }
}

hf_status multiply_by_head(const hf_linear_logits &logits, int32_t operand_type, const float *hidden, int64_t count, float *target,
                           float beta, const hf_executor *executor) {
    MatrixProduct product = product_with_head(logits, operand_type, count);
    product.n = logits.vocabulary_size;
    product.k = logits.hidden_size;
    product.transpose_b = true;
    product.beta = beta;
    product.a = hidden;
    product.a_stride = logits.hidden_size;
    product.c = target;
    product.c_stride = logits.vocabulary_size;
    return multiply(HF_BACKEND_CPU, product, executor);
}

hf_status multiply_by_rows_of_head(const hf_linear_logits &logits, int32_t operand_type, const float *rows, int64_t count, float *sums,
                                   const hf_executor *executor) {
    MatrixProduct product = product_with_head(logits, operand_type, count);
    product.n = logits.hidden_size;
    product.k = logits.vocabulary_size;
    product.a = rows;
    product.a_stride = logits.vocabulary_size;
    product.c = sums;
    product.c_stride = logits.hidden_size;
    return multiply(HF_BACKEND_CPU, product, executor);
}

}  // namespace holdfast
