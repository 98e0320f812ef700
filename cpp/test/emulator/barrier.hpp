// The one mechanism behind the barriers of warps, blocks, clusters and transactions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/call.hpp"

namespace holdfast::emulator {

struct Thread;

/// A phase completes when all arrivals have come and all expected bytes were copied. Phases are told apart by their parity, 0 at first.
class Barrier {
public:
    explicit Barrier(int expected) : expected_(expected) {}
    Barrier(const Barrier &) = delete;
    Barrier &operator=(const Barrier &) = delete;

    /// The running thread arrives; returns the parity of the phase that it joins. Without order, others need not see what it wrote.
    int arrive(bool orders_memory = true);

    /// The same, for threads that must all be in the same call.
    int arrive_together(const Call &call, bool orders_memory = true);

    void expect_bytes(int64_t bytes) { bytes_ += bytes; }
    void copied(int64_t bytes);

    /// Suspends the running thread while the phase has this parity.
    void wait(int parity, const Call &call);

    bool has_arrivals() const { return arrived_ > 0; }
    int64_t expected_bytes() const { return bytes_; }
    std::string lacks() const;

private:
    void complete_if_due();

    const int expected_;
    int arrived_ = 0;
    int64_t bytes_ = 0;
    int parity_ = 0;
    Call first_call_;
    std::vector<Thread *> waiting_;
    char tokens_[2] = {};  // of ThreadSanitizer: one for both would let who runs ahead into the next phase order what others do in this one
};

}  // namespace holdfast::emulator
