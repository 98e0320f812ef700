// Things that are dear to make and are used again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include "emulator/sanitizer.hpp"

namespace holdfast::emulator {

/// Gives what was used longest ago. Under ThreadSanitizer nothing is used twice in a launch while fewer than `MOST` exist: it would take
/// the second user for the first one, and find no race between them. Launches come one after the other, so between them nothing is lost.
template <typename T>
class Pool {
public:
    std::unique_ptr<T> take(uint64_t launch) {
        if (idle_.empty() || (idle_.front().first == launch && made_ < MOST)) {
            ++made_;
            return std::make_unique<T>();
        }
        std::unique_ptr<T> taken = std::move(idle_.front().second);
        idle_.pop_front();
        return taken;
    }

    void give_back(std::unique_ptr<T> used, uint64_t launch) { idle_.emplace_back(launch, std::move(used)); }

private:
    static constexpr size_t MOST = FINDS_RACES ? 2048 : 0;

    std::deque<std::pair<uint64_t, std::unique_ptr<T>>> idle_;
    size_t made_ = 0;
};

}  // namespace holdfast::emulator
