// Memory of kernels, kept from one call to the next: fresh pages cost more than what is done with them.
#pragma once

#include <cstddef>

namespace holdfast {

/// Borrows at least that many bytes, aligned to a cache line, until it is destroyed. Threads that work at the same time get memory of their
/// own. Never throws: tasks run on threads that are not ours.
class Scratch {
public:
    explicit Scratch(size_t bytes);
    ~Scratch();
    Scratch(const Scratch &) = delete;
    Scratch &operator=(const Scratch &) = delete;

    /// NULL if there is no memory.
    void *data() const;

    struct Memory;

private:
    Memory *memory_;
};

}  // namespace holdfast
