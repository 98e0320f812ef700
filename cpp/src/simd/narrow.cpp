#include "simd/narrow.hpp"

#include "core/instruction_set.hpp"

namespace holdfast {

Narrow narrow_of_this_machine() { return select_variant<Narrow>(baseline::narrow, avx2::narrow, avx512::narrow); }

}  // namespace holdfast
