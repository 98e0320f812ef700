// Status codes with a message per thread.
#pragma once

#include "holdfast/holdfast.h"

namespace holdfast {

/// Keeps the message for hf_last_error() of this thread and returns the status.
hf_status fail(hf_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

}  // namespace holdfast
