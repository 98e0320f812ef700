// Shows that nvcc takes what the emulator runs; nothing here is ever called.
#include "emulator/kernels.hpp"

namespace holdfast::testing {

hf_status launch_all(void *stream, float *values, double *sums) {
    constexpr LaunchShape SHAPE = {8, 128, 8, 16 << 10};
    DeviceProperties properties;
    Outcome outcome = query(&properties);
    const auto run = [&](const auto kernel, auto... arguments) {
        outcome = outcome.status == HF_OK ? launch(kernel, SHAPE, stream, arguments...) : outcome;
    };
    auto *bytes = reinterpret_cast<uint8_t *>(values);
    auto *words = reinterpret_cast<uint32_t *>(values);
    auto *units = reinterpret_cast<Bytes16 *>(values);
    run(sum_rows<Fault::NONE>, values, int64_t{1000}, sums);
    run(sum_rows_by_cluster<Fault::NONE>, values, int64_t{1000}, sums);
    run(mirror_chunks<float, Fault::NONE>, values, values, 3);
    run(mirror_chunks<double, Fault::NONE>, sums, sums, 3);
    run(mirror_chunks<Bytes16, Fault::NONE>, units, units, 3);
    run(double_chunks<Fault::NONE>, values, 3);
    run(vote_by_halves, words, words);
    run(count_values, bytes, words, values);
    run(rotate_lanes<Fault::NONE>, reinterpret_cast<uint16_t *>(values), reinterpret_cast<uint16_t *>(values));
    run(compute, reinterpret_cast<Float2 *>(values), reinterpret_cast<Arithmetic *>(values));
    return outcome.status;
}

}  // namespace holdfast::testing
