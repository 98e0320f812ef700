#include "ort/seeded_dropout_operator.hpp"

#include <cmath>

#include "ort/bulk.hpp"

namespace holdfast::ort {
namespace {

constexpr int64_t DRAWS = 4;  // of 16 bits in a hash
constexpr uint32_t RANGE = 1 << 16;

/// SplitMix64's finaliser. Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators" (OOPSLA 2014).
uint64_t mixed(uint64_t bits) {
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
    return bits ^ (bits >> 31);
}

constexpr uint64_t STEP = 0x9e3779b97f4a7c15;  // of that generator: its state after i steps is known without the steps before

uint64_t state(const Tensor &key, int64_t stream) {
    uint64_t bits = mixed(static_cast<uint64_t>(stream) + STEP);
    for (int64_t i = 0; i < key.elements(); ++i) {
        bits = mixed((bits ^ static_cast<uint64_t>(key.as<int64_t>()[i])) + STEP);
    }
    return bits;
}

}  // namespace

SeededDropoutOperator::SeededDropoutOperator(const Attributes &attributes) : stream_(attributes.integer("stream", 0)) {
    const float ratio = attributes.number("ratio", 0.5f);
    if (!(ratio > 0 && ratio < 1)) {
        throw Refusal("attribute ratio: expected a number between 0 and 1, got " + std::to_string(ratio));
    }
    const auto rounded = static_cast<uint32_t>(std::lround(static_cast<double>(ratio) * RANGE));
    threshold_ = rounded < RANGE ? rounded : RANGE - 1;
    // Of the share that stays indeed, so that the expectation is exact.
    scale_ = static_cast<float>(static_cast<double>(RANGE) / (RANGE - threshold_));
}

void SeededDropoutOperator::compute(Context &context) const {
    const Tensor x = context.input(0);
    const uint64_t start = state(context.input(1), stream_);
    const float *source = x.as<float>();
    float *y = context.output_data<float>(0, x.shape);
    const int64_t count = x.elements(), groups = (count + DRAWS - 1) / DRAWS;
    parallel_ranges(context.executor(), groups, FLOATS_PER_TASK / DRAWS, [&](int64_t begin, int64_t end) {
        for (int64_t group = begin; group < end; ++group) {
            uint64_t draws = mixed(start + static_cast<uint64_t>(group) * STEP);
            const int64_t first = group * DRAWS, last = first + DRAWS < count ? first + DRAWS : count;
            for (int64_t i = first; i < last; ++i, draws >>= 16) {
                y[i] = (draws & (RANGE - 1)) >= threshold_ ? source[i] * scale_ : 0.0f;
            }
        }
    });
}

}  // namespace holdfast::ort
