#undef _FORTIFY_SOURCE  // which takes jumps between stacks for faults
#include "emulator/fibre.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <new>

namespace holdfast::emulator {
namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool SANITIZED = true;
constexpr size_t STACK_BYTES = 256 << 10;  // reports are written on the stack of the fibre that they concern
#else
constexpr bool SANITIZED = false;
constexpr size_t STACK_BYTES = 64 << 10;
#endif

Fibre *beginner = nullptr;  // makecontext passes no pointers

size_t rounded_up(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

/// Jumps spare the two calls of the kernel in swapcontext, which took two thirds of the time; the sanitizers understand only the latter.
HF_UNSEEN void change(Continuation &left, Continuation &entered) {
    if (SANITIZED) {
        swapcontext(&left.beginning, &entered.beginning);
        return;
    }
    left.has_begun = true;
    if (_setjmp(left.place) == 0) {
        if (entered.has_begun) {
            _longjmp(entered.place, 1);
        }
        setcontext(&entered.beginning);
    }
}

}  // namespace

GuardedMemory::GuardedMemory(size_t bytes) : size_(bytes) {
    constexpr size_t ALIGNMENT = 1024;
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t usable = rounded_up(bytes, page);
    mapped_ = usable + 2 * page;
    mapping_ = mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping_ == MAP_FAILED) {
        throw std::bad_alloc();
    }
    unsigned char *first = static_cast<unsigned char *>(mapping_) + page;
    if (mprotect(first, usable, PROT_READ | PROT_WRITE) != 0) {
        munmap(mapping_, mapped_);
        throw std::bad_alloc();
    }
    data_ = first + usable - rounded_up(bytes, ALIGNMENT);
}

GuardedMemory::~GuardedMemory() { munmap(mapping_, mapped_); }

Fibre::Fibre() : stack_(STACK_BYTES), own_stack_(stack_.data(), stack_.size()) {}

void Fibre::begin(void (*run)()) {
    run_ = run;
    own_.has_begun = false;
    getcontext(&own_.beginning);
    own_.beginning.uc_stack.ss_sp = stack_.data();
    own_.beginning.uc_stack.ss_size = stack_.size();
    makecontext(&own_.beginning, enter, 0);
}

HF_UNSEEN void Fibre::enter() {
    Fibre &self = *beginner;
    self.own_stack_.arrive_from(&self.resumer_stack_);
    self.run_();
    self.suspend();
}

HF_UNSEEN void Fibre::resume() {
    beginner = this;
    resumer_strand_ = strand_.enter();
    resumer_stack_.leave_for(own_stack_);
    change(resumer_, own_);
    resumer_stack_.arrive_from(&own_stack_);
}

HF_UNSEEN void Fibre::suspend() {
    Strand::enter(resumer_strand_);
    own_stack_.leave_for(resumer_stack_);
    change(own_, resumer_);
    own_stack_.arrive_from(&resumer_stack_);
}

}  // namespace holdfast::emulator
