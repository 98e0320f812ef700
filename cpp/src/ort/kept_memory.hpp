// A workspace that a kernel keeps from one run to the next: fresh pages would cost more than many a run.
#pragma once

#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

namespace holdfast::ort {

/// Runs at the same time get memory of their own. Memory is as large as the largest run wanted, and is freed with the kernel.
class KeptMemory {
    struct Free {
        void operator()(void *memory) const { std::free(memory); }
    };
    struct Piece {
        std::unique_ptr<void, Free> memory;
        size_t bytes = 0;
    };

public:
    /// Memory of one run, given back at its end.
    class Loan {
    public:
        Loan(KeptMemory &owner, Piece piece) : owner_(owner), piece_(std::move(piece)) {}
        ~Loan() {
            const std::lock_guard<std::mutex> lock(owner_.mutex_);
            owner_.idle_.push_back(std::move(piece_));
        }
        Loan(const Loan &) = delete;
        Loan &operator=(const Loan &) = delete;

        void *data() const { return piece_.memory.get(); }
        size_t bytes() const { return piece_.bytes; }

    private:
        KeptMemory &owner_;
        Piece piece_;
    };

    /// At least that many bytes, aligned to 64; throws std::bad_alloc.
    Loan borrow(size_t bytes) {
        Piece piece = take();
        if (piece.bytes < bytes) {
            piece.memory.reset();  // before the larger one is there
            piece.bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
            piece.memory.reset(std::aligned_alloc(ALIGNMENT, piece.bytes));
            if (piece.memory == nullptr) {
                throw std::bad_alloc();
            }
        }
        return Loan(*this, std::move(piece));
    }

private:
    static constexpr size_t ALIGNMENT = 64;

    Piece take() {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (idle_.empty()) {
            return {};
        }
        Piece piece = std::move(idle_.back());
        idle_.pop_back();
        return piece;
    }

    std::mutex mutex_;
    std::vector<Piece> idle_;
};

}  // namespace holdfast::ort
