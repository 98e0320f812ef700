#include "product/scratch.hpp"

#include <mutex>
#include <vector>

namespace holdfast {
namespace {

/// What is not in use; at most as many as products ever ran at the same time.
struct Shelf {
    std::mutex mutex;
    std::vector<Scratch::Memory> free;
};

/// Never destroyed: a product may still run while the process ends.
Shelf &shelf() {
    static Shelf *instance = new Shelf;
    return *instance;
}

}  // namespace

Scratch::Scratch(size_t elements) {
    {
        const std::lock_guard<std::mutex> lock(shelf().mutex);
        if (!shelf().free.empty()) {
            memory_ = std::move(shelf().free.back());
            shelf().free.pop_back();
        }
    }
    if (memory_.size < elements) {
        memory_.elements.reset();  // before the larger one is there
        memory_.elements.reset(new uint16_t[elements]);
        memory_.size = elements;
    }
}

Scratch::~Scratch() {
    const std::lock_guard<std::mutex> lock(shelf().mutex);
    shelf().free.push_back(std::move(memory_));
}

}  // namespace holdfast
