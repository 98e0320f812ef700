package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class MachineFactsTest {
    @Test
    void memoryIsReadFromTheFieldOfItsName() {
        List<String> facts =
                List.of("MemTotal:       16384 kB", "MemFree:         1024 kB", "MemAvailable:    8192 kB");
        assertThat(MachineFacts.memory(facts, "MemAvailable")).contains(8L << 20);
        assertThat(MachineFacts.memory(facts, "MemFree")).contains(1L << 20);
        assertThat(MachineFacts.memory(facts, "Mem")).isEmpty();
        assertThat(MachineFacts.memory()).matches("[0-9.]+ GiB, [0-9.]+ GiB available; Java heap up to [0-9.]+ GiB");
    }
}
