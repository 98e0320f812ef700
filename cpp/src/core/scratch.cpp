#include "core/scratch.hpp"

#include <cstdlib>
#include <mutex>

namespace holdfast {

/// The head of a piece of memory, whose elements follow it.
struct alignas(64) Scratch::Memory {
    size_t size;
    Memory *next;
};

namespace {

std::mutex mutex;
/// What is not in use; at most as many pieces as tasks ever ran at the same time.
Scratch::Memory *shelf = nullptr;

Scratch::Memory *take() {
    const std::lock_guard<std::mutex> lock(mutex);
    Scratch::Memory *memory = shelf;
    shelf = memory == nullptr ? nullptr : memory->next;
    return memory;
}

Scratch::Memory *allocate(size_t bytes) {
    auto *memory = static_cast<Scratch::Memory *>(std::aligned_alloc(64, sizeof(Scratch::Memory) + (bytes + 63) / 64 * 64));
    if (memory != nullptr) {
        memory->size = bytes;
    }
    return memory;
}

}  // namespace

Scratch::Scratch(size_t bytes) : memory_(take()) {
    if (memory_ == nullptr || memory_->size < bytes) {
        std::free(memory_);  // before the larger one is there
        memory_ = allocate(bytes);
    }
}

Scratch::~Scratch() {
    if (memory_ != nullptr) {
        const std::lock_guard<std::mutex> lock(mutex);
        memory_->next = shelf;
        shelf = memory_;
    }
}

void *Scratch::data() const { return memory_ == nullptr ? nullptr : memory_ + 1; }

}  // namespace holdfast
