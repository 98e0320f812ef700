// Which vector instructions the kernels may use on this machine.
#pragma once

namespace holdfast {

enum class InstructionSet { BASELINE = 0, AVX2 = 1, AVX512 = 2 };

/// What the machine has, limited by hf_cap_cpu_instruction_set.
InstructionSet instruction_set();

/// The variant of a kernel for this machine.
template <class Function>
Function select_variant(Function baseline, Function avx2, Function avx512) {
    switch (instruction_set()) {
        case InstructionSet::AVX512:
            return avx512;
        case InstructionSet::AVX2:
            return avx2;
        default:
            return baseline;
    }
}

}  // namespace holdfast
