#include "emulator/copy.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "emulator/grid.hpp"
#include "emulator/pool.hpp"

namespace holdfast::emulator {
namespace {

Pool<Strand> &strands() {
    static auto *const pool = new Pool<Strand>;
    return *pool;
}

}  // namespace

Copy::Copy(void *target, const void *source, int64_t bytes, Barrier *barrier, const Call &call)
    : target_(target), source_(source), bytes_(bytes), barrier_(barrier), call_(call), strand_(strands().take(grid->number)) {
    publish(this);
    if (self().block->owns(target, bytes)) {
        std::memset(target, POISON, static_cast<size_t>(bytes));
    }
    if (grid->draws_early_completion()) {
        complete();
    }
}

Copy::~Copy() { strands().give_back(std::move(strand_), grid->number); }

void Copy::complete() {
    if (is_complete_) {
        return;
    }
    void *caller = strand_->enter();
    observe(this);
    note_read(source_, static_cast<size_t>(bytes_));
    note_write(target_, static_cast<size_t>(bytes_));
    publish(this);
    publish(grid);
    {
        const Unwatched unwatched;
        std::memcpy(target_, source_, static_cast<size_t>(bytes_));
        is_complete_ = true;
    }
    if (barrier_ != nullptr) {
        barrier_->copied(bytes_);
    }
    Strand::enter(caller);
}

void CopyGroups::commit() {
    closed_.push_back(std::move(open_));
    open_.clear();
}

void CopyGroups::wait(size_t pending) {
    while (closed_.size() > pending) {
        std::vector<std::unique_ptr<Copy>> group = std::move(closed_.front());
        closed_.pop_front();
        while (!group.empty()) {
            std::swap(group[grid->draw() % group.size()], group.back());
            group.back()->complete();
            observe(group.back().get());
            group.pop_back();
        }
    }
}

const Copy *CopyGroups::unfinished() const {
    for (const auto &group : closed_) {
        if (!group.empty()) {
            return group.front().get();
        }
    }
    return open_.empty() ? nullptr : open_.front().get();
}

}  // namespace holdfast::emulator
