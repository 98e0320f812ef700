// Compiled once per instruction set; the compiler vectorises the loop.
#include <cstring>

#include "simd/narrow.hpp"

namespace holdfast::HF_VARIANT {

void narrow(const float *source, uint16_t *target, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
        uint32_t bits;
        std::memcpy(&bits, source + i, sizeof bits);
        const uint32_t nearest = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
        const uint32_t quiet = (bits >> 16) | 0x40;
        target[i] = static_cast<uint16_t>((bits & 0x7fffffff) > 0x7f800000 ? quiet : nearest);
    }
}

}  // namespace holdfast::HF_VARIANT
