#include "core/instruction_set.hpp"

#include <atomic>
#include <cstring>

#include "core/error.hpp"

namespace holdfast {
namespace {

InstructionSet detect() {
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl")) {
        return InstructionSet::AVX512;
    }
    return avx2 ? InstructionSet::AVX2 : InstructionSet::BASELINE;
}

std::atomic<int> cap{static_cast<int>(InstructionSet::AVX512)};

const char *const names[] = {"baseline", "avx2", "avx512"};

}  // namespace

InstructionSet instruction_set() {
    static const int detected = static_cast<int>(detect());
    const int limit = cap;
    return static_cast<InstructionSet>(detected < limit ? detected : limit);
}

}  // namespace holdfast

extern "C" const char *hf_cpu_instruction_set(void) { return holdfast::names[static_cast<int>(holdfast::instruction_set())]; }

extern "C" hf_status hf_cap_cpu_instruction_set(const char *name) {
    if (name == nullptr) {
        return holdfast::fail(HF_INVALID_ARGUMENT, "name: expected baseline, avx2, avx512 or native, got NULL");
    }
    if (std::strcmp(name, "native") == 0) {
        holdfast::cap = 2;
        return HF_OK;
    }
    for (int index = 0; index < 3; ++index) {
        if (std::strcmp(name, holdfast::names[index]) == 0) {
            holdfast::cap = index;
            return HF_OK;
        }
    }
    return holdfast::fail(HF_INVALID_ARGUMENT, "name: expected baseline, avx2, avx512 or native, got %s", name);
}
