#include "core/error.hpp"

#include <cstdarg>
#include <cstdio>

namespace {
thread_local char message[512] = "";
}

namespace holdfast {

hf_status fail(hf_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return status;
}

}  // namespace holdfast

extern "C" int32_t hf_version(void) { return HF_VERSION; }

extern "C" const char *hf_last_error(void) { return message; }
