// Libraries of others, opened when they are first wanted and never closed: neither their headers nor their files are needed to build this
// one.
#pragma once

#include <dlfcn.h>

#include <atomic>
#include <mutex>
#include <string>

#include "core/error.hpp"

namespace holdfast {

/// One library and what is used of it.
template <class Functions>
class OpenedLibrary {
public:
    /// Why a library cannot be taken; NULL if it can.
    using Read = const char *(*)(void *handle, Functions &functions);

    /// `expected` names the library in messages; `read` looks for the functions.
    OpenedLibrary(const char *expected, Read read) : expected_(expected), read_(read) {}

    /// NULL if none is open.
    const Functions *get() const { return opened_.load(std::memory_order_acquire); }

    /// HF_INVALID_ARGUMENT if another is open, HF_UNSUPPORTED if it cannot be taken.
    hf_status open(const char *path) {
        if (path == nullptr) {
            return fail(HF_INVALID_ARGUMENT, "path: expected the file of a library, got NULL");
        }
        const std::lock_guard<std::mutex> lock(opening_);
        if (get() != nullptr) {
            return path_ == path ? HF_OK : fail(HF_INVALID_ARGUMENT, "path: expected %s, which is open, got %s", path_.c_str(), path);
        }
        void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (handle == nullptr) {
            return refuse(path, dlerror());
        }
        Functions functions{};
        if (const char *why = read_(handle, functions)) {
            const hf_status status = refuse(path, why);
            dlclose(handle);
            return status;
        }
        path_ = path;
        opened_ = new Functions(functions);  // for the life of the process
        return HF_OK;
    }

private:
    hf_status refuse(const char *path, const char *why) const {
        return fail(HF_UNSUPPORTED, "path: expected %s, got %s: %s", expected_, path, why);
    }

    const char *const expected_;
    const Read read_;
    std::atomic<const Functions *> opened_{nullptr};
    std::mutex opening_;
    std::string path_;
};

/// Sets a pointer to the function of this name, or to NULL.
template <class Function>
void find_function(void *handle, const char *name, Function &function) {
    function = reinterpret_cast<Function>(dlsym(handle, name));
}

}  // namespace holdfast
