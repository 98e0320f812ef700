// Memory for rounded operands, kept from one product to the next: fresh pages cost more than the rounding.
#pragma once

#include <cstddef>
#include <cstdint>

namespace holdfast {

/// Borrows at least that many elements until it is destroyed. Threads that work at the same time get memory of their own. Never throws:
/// tasks run on threads that are not ours.
class Scratch {
public:
    explicit Scratch(size_t elements);
    ~Scratch();
    Scratch(const Scratch &) = delete;
    Scratch &operator=(const Scratch &) = delete;

    /// NULL if there is no memory.
    uint16_t *data() const;

    struct Memory;

private:
    Memory *memory_;
};

}  // namespace holdfast
