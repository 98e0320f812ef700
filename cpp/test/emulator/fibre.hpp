// Flows of control with stacks of their own, switched by hand.
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <cstddef>
#include <memory>

#include "emulator/sanitizer.hpp"

namespace holdfast::emulator {

/// Zeroed memory between two unmapped pages, its end at the second one as closely as an alignment of 1,024 allows.
class GuardedMemory {
public:
    explicit GuardedMemory(size_t bytes);
    ~GuardedMemory();
    GuardedMemory(const GuardedMemory &) = delete;
    GuardedMemory &operator=(const GuardedMemory &) = delete;

    unsigned char *data() const { return data_; }
    size_t size() const { return size_; }

private:
    void *mapping_;
    size_t mapped_;
    unsigned char *data_;
    size_t size_;
};

/// Where a flow of control goes on when it is entered again, or begins.
struct Continuation {
    ucontext_t beginning{};
    jmp_buf place{};
    bool has_begun = false;
};

class Fibre {
public:
    Fibre();
    Fibre(const Fibre &) = delete;
    Fibre &operator=(const Fibre &) = delete;

    /// Makes the next resume call the function; when that returns, the fibre suspends for good.
    void begin(void (*run)());

    /// Called from outside of fibres: runs the fibre until it suspends.
    void resume();

    /// Called on the fibre itself.
    void suspend();

private:
    static void enter();

    const GuardedMemory stack_;
    void (*run_)() = nullptr;
    Continuation own_, resumer_;
    KnownStack own_stack_, resumer_stack_;
    const Strand strand_;
    void *resumer_strand_ = nullptr;
};

}  // namespace holdfast::emulator
