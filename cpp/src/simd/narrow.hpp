// Floats rounded to bfloat16, the nearest, ties to even; NaN stays NaN. One variant per instruction set.
#pragma once

#include <cstdint>

namespace holdfast {

using Narrow = void (*)(const float *source, uint16_t *target, int64_t count);

namespace baseline {
void narrow(const float *source, uint16_t *target, int64_t count);
}
namespace avx2 {
void narrow(const float *source, uint16_t *target, int64_t count);
}
namespace avx512 {
void narrow(const float *source, uint16_t *target, int64_t count);
}

/// The variant of this machine.
Narrow narrow_of_this_machine();

}  // namespace holdfast
