// Where a kernel calls a function of the device, and how its failures are told.
#pragma once

#include <sstream>
#include <string>

#include "cuda/device_interface.hpp"

namespace holdfast::emulator {

using device::Site;

/// A call in a kernel.
struct Call {
    const char *function = "";
    Site site;

    bool operator==(const Call &other) const;
    bool operator!=(const Call &other) const { return !(*this == other); }
};

std::string text_of(const Call &call);

template <typename... Parts>
std::string text(const Parts &...parts) {
    std::ostringstream out;
    (out << ... << parts);
    return out.str();
}

/// Ends the launch; caught where the thread that throws it began.
struct Failure {
    std::string message;
};

/// Throws a failure of the running thread, with a message of the form `<where>: <function>: expected …, got …`.
[[noreturn]] void fail(const Call &call, const std::string &expected, const std::string &got);

}  // namespace holdfast::emulator
