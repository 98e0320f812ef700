package dev.holdfast.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.error.InvalidInputException;
import dev.holdfast.exporter.Exporter;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.HostTensor;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StepBenchmarkTest {
    @TempDir
    private static Path directory;

    private static Path artifact;

    @BeforeAll
    static void export() {
        artifact = directory.resolve("artifact");
        Exporter.of(Path.of("onnx-artifacts/demo/model")).export(artifact);
    }

    private static Map<String, HostTensor> batch() {
        Map<String, HostTensor> batch = new HashMap<>();
        batch.put("input_ids", HostTensor.ofLongs(new long[] {5, 6, 7, 8, 9, 10}, 2, 3));
        batch.put("response_positions", HostTensor.ofLongs(new long[] {1, 4}, 2));
        batch.put("labels", HostTensor.ofLongs(new long[] {7, 10}, 2));
        return batch;
    }

    private static StepMeasurement run(Map<String, HostTensor> batch) {
        return StepBenchmark.run(new StepBenchmark.Plan(artifact, batch, 1, 3, SessionSettings.defaults()));
    }

    @Test
    void theStepsTrain() {
        StepMeasurement measurement = run(batch());
        assertThat(measurement.losses()).hasSize(4);
        assertThat(measurement.losses().get(3)).isLessThan(measurement.losses().get(0));
    }

    @Test
    void theOptimizerIsPartOfAStepAndOpeningPartOfThePeak() {
        StepMeasurement measurement = run(batch());
        assertThat(measurement.steps()).isEqualTo(3);
        assertThat(measurement.gradientMedianSeconds()).isPositive().isLessThan(measurement.medianSeconds());
        assertThat(measurement.minimumSeconds()).isLessThanOrEqualTo(measurement.medianSeconds());
        assertThat(measurement.peakBytes()).isGreaterThanOrEqualTo(measurement.openingPeakBytes());
    }

    @Test
    void aBatchWithoutLabelsIsRefused() {
        Map<String, HostTensor> batch = batch();
        batch.remove("labels");
        assertThatThrownBy(() -> run(batch))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("expected an array labels");
    }

    @Test
    void theMedianIsTheMiddleOrTheMeanOfTheMiddleTwo() {
        assertThat(Median.of(List.of(3.0, 1.0, 2.0))).isEqualTo(2.0);
        assertThat(Median.of(List.of(4.0, 1.0, 2.0, 3.0))).isEqualTo(2.5);
    }
}
