#include "emulator/emulator.hpp"

#include <initializer_list>
#include <mutex>
#include <utility>

#include "emulator/device_emulated.hpp"
#include "emulator/grid.hpp"

namespace holdfast::emulator {
namespace {

struct Settings {
    std::mutex mutex;  // held while a grid runs
    Schedule schedule;
    device::DeviceProperties device{90, 132, 227 << 10, 228 << 10};
    Traffic traffic;
};

Settings &settings() {
    static Settings one;
    return one;
}

template <typename T>
T exchange_setting(T &setting, const T &value) {
    const std::lock_guard<std::mutex> lock(settings().mutex);
    return std::exchange(setting, value);
}

template <typename T>
T setting_of(const T &setting) {
    const std::lock_guard<std::mutex> lock(settings().mutex);
    return setting;
}

int64_t sum_of(const Traffic &traffic, std::initializer_list<Access> accesses) {
    int64_t sum = 0;
    for (Access access : accesses) {
        sum += traffic.bytes(access);
    }
    return sum;
}

/// What is wrong with a shape; empty if the device takes it.
std::string refusal_of(const device::LaunchShape &shape, const device::DeviceProperties &device) {
    constexpr int64_t MOST_BLOCKS = 0x7fffffff;
    constexpr int MOST_THREADS = 1024;
    const int most_blocks_of_cluster = device.architecture >= 90 ? 16 : 1;
    if (shape.threads < 1 || shape.threads > MOST_THREADS) {
        return text("threads: expected [1, ", MOST_THREADS, "], got ", shape.threads);
    }
    if (shape.cluster < 1 || shape.cluster > most_blocks_of_cluster) {
        return text("cluster: expected [1, ", most_blocks_of_cluster, "], got ", shape.cluster);
    }
    if (shape.blocks < 1 || shape.blocks > MOST_BLOCKS || shape.blocks % shape.cluster != 0) {
        return text("blocks: expected a multiple of ", shape.cluster, " in [1, ", MOST_BLOCKS, "], got ", shape.blocks);
    }
    if (shape.shared_bytes > static_cast<size_t>(device.shared_bytes_per_block)) {
        return text("shared_bytes: expected at most ", device.shared_bytes_per_block, ", got ", shape.shared_bytes);
    }
    return {};
}

/// The message stays where it is until the thread's next call.
device::Outcome outcome_of(hf_status status, const std::string &message) {
    static thread_local std::string kept;
    kept = message;
    return message.empty() ? device::Outcome{} : device::Outcome{status, kept.c_str()};
}

}  // namespace

Schedule set_schedule(const Schedule &schedule) { return exchange_setting(settings().schedule, schedule); }

device::DeviceProperties set_device(const device::DeviceProperties &properties) { return exchange_setting(settings().device, properties); }

Traffic traffic() { return setting_of(settings().traffic); }

void reset_traffic() { exchange_setting(settings().traffic, {}); }

void count_bytes(Access access, int64_t bytes) { ++settings().traffic.accesses[{access, bytes}]; }

int64_t Traffic::bytes(Access access) const {
    int64_t sum = 0;
    for (const auto &[kind, times] : accesses) {
        sum += kind.first == access ? kind.second * times : 0;
    }
    return sum;
}

int64_t Traffic::bytes_read() const {
    return sum_of(*this, {Access::CACHED_LOAD, Access::STREAMING_LOAD, Access::ATOMIC, Access::ASYNC_COPY, Access::BULK_LOAD});
}

int64_t Traffic::bytes_written() const {
    return sum_of(*this, {Access::CACHED_STORE, Access::STREAMING_STORE, Access::ATOMIC, Access::BULK_STORE});
}

device::Outcome run(const device::LaunchShape &shape, const std::function<void()> &kernel) {
    const Unwatched unwatched;
    const std::lock_guard<std::mutex> lock(settings().mutex);
    const std::string refusal = refusal_of(shape, settings().device);
    if (!refusal.empty()) {
        return outcome_of(HF_INTERNAL, "launch: " + refusal);
    }
    Grid running(shape, kernel, settings().schedule, settings().device);
    return outcome_of(HF_DEVICE_FAILURE, running.run());
}

}  // namespace holdfast::emulator

namespace holdfast::device {

Outcome query(DeviceProperties *properties) {
    *properties = emulator::setting_of(emulator::settings().device);
    return {};
}

}  // namespace holdfast::device
