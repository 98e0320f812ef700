// Memory for rounded operands, kept from one product to the next: fresh pages cost more than the rounding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace holdfast {

/// Borrows at least that many elements until it is destroyed. Threads that work at the same time get memory of their own.
class Scratch {
public:
    explicit Scratch(size_t elements);
    ~Scratch();
    Scratch(const Scratch &) = delete;
    Scratch &operator=(const Scratch &) = delete;

    uint16_t *data() const { return memory_.elements.get(); }

    struct Memory {
        std::unique_ptr<uint16_t[]> elements;
        size_t size = 0;
    };

private:
    Memory memory_;
};

}  // namespace holdfast
