// Copies that a device makes beside its threads.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "emulator/barrier.hpp"
#include "emulator/call.hpp"
#include "emulator/sanitizer.hpp"

namespace holdfast::emulator {

class Copy {
public:
    /// Poisons a target in shared memory; completes at once if the schedule says so. The barrier may be missing.
    Copy(void *target, const void *source, int64_t bytes, Barrier *barrier, const Call &call);

    ~Copy();
    Copy(const Copy &) = delete;
    Copy &operator=(const Copy &) = delete;

    void complete();
    bool is_complete() const { return is_complete_; }
    const Call &call() const { return call_; }
    const void *target() const { return target_; }

private:
    void *target_;
    const void *source_;
    int64_t bytes_;
    Barrier *barrier_;
    Call call_;
    std::unique_ptr<Strand> strand_;
    bool is_complete_ = false;
};

/// The copies that one thread waits for itself, oldest group first.
class CopyGroups {
public:
    void add(std::unique_ptr<Copy> copy) { open_.push_back(std::move(copy)); }
    void commit();
    void wait(size_t pending);
    /// A copy that was not waited for; nullptr if there is none.
    const Copy *unfinished() const;

private:
    std::vector<std::unique_ptr<Copy>> open_;
    std::deque<std::vector<std::unique_ptr<Copy>>> closed_;
};

}  // namespace holdfast::emulator
