// The choice of an instruction set: what the machine has, and caps.
#include "core/instruction_set.hpp"

#include <fstream>
#include <sstream>

#include "support.hpp"

namespace {

using namespace holdfast::testing;

/// The features that Linux names for the first processor, each with a blank before and behind.
std::string processor_flags() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (line.rfind("flags", 0) == 0) {
            return line.substr(line.find(':') + 1) + " ";
        }
    }
    return "";
}

bool has_all(const std::string &flags, const char *wanted) {
    std::istringstream names(wanted);
    for (std::string name; names >> name;) {
        if (flags.find(" " + name + " ") == std::string::npos) {
            return false;
        }
    }
    return true;
}

TEST(InstructionSet, IsTheLargestThatTheOperatingSystemNames) {
    const std::string flags = processor_flags();
    if (flags.empty()) {
        GTEST_SKIP() << "/proc/cpuinfo: expected a line of flags, found none";
    }
    const bool avx2 = has_all(flags, "avx2 fma f16c");
    const bool avx512 = avx2 && has_all(flags, "avx512f avx512dq avx512bw avx512vl");
    EXPECT_STREQ(avx512 ? "avx512" : avx2 ? "avx2" : "baseline", hf_cpu_instruction_set());
}

TEST(InstructionSet, ChoosesTheVariantOfTheCap) {
    const std::string most = hf_cpu_instruction_set();
    const char *const names[] = {"baseline", "avx2", "avx512"};
    for (const char *name : names) {
        const Capped cap(name);
        const std::string chosen = hf_cpu_instruction_set();
        EXPECT_EQ(chosen, holdfast::select_variant(names[0], names[1], names[2]));
        EXPECT_TRUE(chosen == name || chosen == most) << name << " gave " << chosen;
    }
    EXPECT_EQ(most, hf_cpu_instruction_set());
}

TEST(InstructionSet, RefusesNamesThatItDoesNotKnow) {
    EXPECT_EQ(HF_INVALID_ARGUMENT, hf_cap_cpu_instruction_set("sse9"));
    EXPECT_STREQ("name: expected baseline, avx2, avx512 or native, got sse9", hf_last_error());
    EXPECT_EQ(HF_INVALID_ARGUMENT, hf_cap_cpu_instruction_set(nullptr));
    EXPECT_STREQ("name: expected baseline, avx2, avx512 or native, got NULL", hf_last_error());
}

}  // namespace
