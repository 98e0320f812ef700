// The arithmetic of device.hpp, by the functions that the kernels for the CPU use.
#include <cmath>

#include "cuda/device_interface.hpp"
#include "simd/element.hpp"

namespace holdfast::device {
namespace {

uint32_t pair_of(uint16_t low, uint16_t high) { return low | static_cast<uint32_t>(high) << 16; }
uint16_t low_of(uint32_t pair) { return static_cast<uint16_t>(pair); }
uint16_t high_of(uint32_t pair) { return static_cast<uint16_t>(pair >> 16); }
Float2 max_or_nan(Float2 a, Float2 b) { return {device::max_or_nan(a.x, b.x), device::max_or_nan(a.y, b.y)}; }
Float2 min_or_nan(Float2 a, Float2 b) { return {device::min_or_nan(a.x, b.x), device::min_or_nan(a.y, b.y)}; }

}  // namespace

float fast_exp2(float x) { return std::exp2(x); }
float fast_log2(float x) { return std::log2(x); }

Float2 widen_bfloat16(uint32_t pair) { return {bfloat_to_float(low_of(pair)), bfloat_to_float(high_of(pair))}; }
Float2 widen_float16(uint32_t pair) { return {half_to_float(low_of(pair)), half_to_float(high_of(pair))}; }
uint32_t narrow_bfloat16(Float2 values) { return pair_of(float_to_bfloat(values.x), float_to_bfloat(values.y)); }
uint32_t narrow_float16(Float2 values) { return pair_of(float_to_half(values.x), float_to_half(values.y)); }

float max_or_nan(float a, float b) { return std::isnan(a) || a > b ? a : b; }
float min_or_nan(float a, float b) { return std::isnan(a) || a < b ? a : b; }
uint32_t max_or_nan_bfloat16(uint32_t a, uint32_t b) { return narrow_bfloat16(max_or_nan(widen_bfloat16(a), widen_bfloat16(b))); }
uint32_t min_or_nan_bfloat16(uint32_t a, uint32_t b) { return narrow_bfloat16(min_or_nan(widen_bfloat16(a), widen_bfloat16(b))); }
uint32_t max_or_nan_float16(uint32_t a, uint32_t b) { return narrow_float16(max_or_nan(widen_float16(a), widen_float16(b))); }
uint32_t min_or_nan_float16(uint32_t a, uint32_t b) { return narrow_float16(min_or_nan(widen_float16(a), widen_float16(b))); }

}  // namespace holdfast::device
