#include "emulator/barrier.hpp"

#include "emulator/grid.hpp"
#include "emulator/sanitizer.hpp"

namespace holdfast::emulator {

int Barrier::arrive_together(const Call &call, bool orders_memory) {
    {
        const Unwatched unwatched;
        if (arrived_ == 0) {
            first_call_ = call;
        } else if (first_call_ != call) {
            fail(call, "every thread in the same call", "another one in " + text_of(first_call_));
        }
    }
    return arrive(orders_memory);
}

int Barrier::arrive(bool orders_memory) {
    const int parity = parity_;
    if (orders_memory) {
        publish(&tokens_[parity]);
    }
    const Unwatched unwatched;
    ++arrived_;
    complete_if_due();
    return parity;
}

void Barrier::copied(int64_t bytes) {
    publish(&tokens_[parity_]);
    const Unwatched unwatched;
    bytes_ -= bytes;
    complete_if_due();
}

void Barrier::wait(int parity, const Call &call) {
    while (parity_ == parity) {
        {
            const Unwatched unwatched;
            waiting_.push_back(&self());
            self().waits_in = call;
        }
        suspend();
    }
    observe(&tokens_[parity]);
}

void Barrier::complete_if_due() {
    if (arrived_ < expected_ || bytes_ != 0) {
        return;
    }
    arrived_ = 0;
    parity_ = 1 - parity_;
    for (Thread *thread : waiting_) {
        grid->make_ready(thread);
    }
    waiting_.clear();
}

std::string Barrier::lacks() const {
    return std::to_string(expected_ - arrived_) + " of " + std::to_string(expected_) + " arrivals and " + std::to_string(bytes_) +
           " bytes are missing";
}

}  // namespace holdfast::emulator
