#include "product/scratch.hpp"

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
/// What is not in use; at most as many pieces as products ever ran at the same time.
Scratch::Memory *shelf = nullptr;

Scratch::Memory *take() {
    const std::lock_guard<std::mutex> lock(mutex);
    Scratch::Memory *memory = shelf;
    shelf = memory == nullptr ? nullptr : memory->next;
    return memory;
}

Scratch::Memory *allocate(size_t elements) {
    const size_t bytes = sizeof(Scratch::Memory) + (elements * sizeof(uint16_t) + 63) / 64 * 64;
    auto *memory = static_cast<Scratch::Memory *>(std::aligned_alloc(64, bytes));
    if (memory != nullptr) {
        memory->size = elements;
    }
    return memory;
}

}  // namespace

Scratch::Scratch(size_t elements) : memory_(take()) {
    if (memory_ == nullptr || memory_->size < elements) {
        std::free(memory_);  // before the larger one is there
        memory_ = allocate(elements);
    }
}

Scratch::~Scratch() {
    if (memory_ != nullptr) {
        const std::lock_guard<std::mutex> lock(mutex);
        memory_->next = shelf;
        shelf = memory_;
    }
}

uint16_t *Scratch::data() const { return memory_ == nullptr ? nullptr : reinterpret_cast<uint16_t *>(memory_ + 1); }

}  // namespace holdfast
