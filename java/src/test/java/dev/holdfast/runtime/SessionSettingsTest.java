package dev.holdfast.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.error.InvalidConfigurationException;
import dev.holdfast.error.RuntimeFailureException;
import dev.holdfast.tensor.HostTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SessionSettingsTest {
    private static final Path CLASSIFIER = Goldens.artifact("classifier");
    private static final Map<String, HostTensor> BATCHES = Goldens.arrays(CLASSIFIER.resolve("batches.npz"));

    @TempDir
    Path folder;

    @Test
    void parsesDevices() {
        assertThat(Device.parse("cpu")).isEqualTo(Device.CPU);
        assertThat(Device.parse("cuda"))
                .isEqualTo(new Device(Device.Kind.CUDA, 0))
                .hasToString("cuda:0");
        assertThat(Device.parse("cuda:3")).isEqualTo(new Device(Device.Kind.CUDA, 3));
        for (String name : List.of("", "gpu", "cuda:", "cuda:-1", "CPU", "cpu:0", "cuda:99999999999")) {
            assertThatThrownBy(() -> Device.parse(name))
                    .isInstanceOf(InvalidConfigurationException.class)
                    .hasMessage("device: expected cpu, cuda or cuda:N, got " + name);
        }
    }

    @Test
    void refusesCuda() {
        SessionSettings cuda = SessionSettings.defaults().withDevice(Device.parse("cuda:1"));
        assertThatThrownBy(() -> TrainingSession.open(TrainingFiles.in(CLASSIFIER), cuda))
                .isInstanceOf(RuntimeFailureException.class)
                .hasMessage(
                        "device cuda:1: expected cpu, got cuda:1; the natives of this build compute on the CPU only");
    }

    @Test
    void refusesAnOperatorLibraryThatIsNone() throws IOException {
        Path library = folder.resolve("liboperators.so");
        SessionSettings settings = SessionSettings.defaults().withOperatorLibrary(library);
        assertThatThrownBy(() -> TrainingSession.open(TrainingFiles.in(CLASSIFIER), settings))
                .isInstanceOf(RuntimeFailureException.class)
                .hasMessageContaining("found no file");
        Files.writeString(library, "no library");
        assertThatThrownBy(() -> TrainingSession.open(TrainingFiles.in(CLASSIFIER), settings))
                .isInstanceOf(RuntimeFailureException.class)
                .hasMessageContaining("liboperators.so: the operator library cannot be loaded");
    }

    @Test
    void everyChoiceGivesTheSameLosses() {
        List<SessionSettings> choices = new ArrayList<>();
        for (boolean arena : new boolean[] {false, true}) {
            for (boolean pattern : new boolean[] {false, true}) {
                choices.add(SessionSettings.defaults().withMemory(arena, pattern));
            }
        }
        choices.add(SessionSettings.defaults().withOptimization(SessionSettings.GraphOptimization.NONE));
        choices.add(SessionSettings.defaults().withIntraOpThreads(1).withAllowSpinning(false));
        float[] expected = losses(SessionSettings.defaults());
        for (SessionSettings choice : choices) {
            float[] losses = losses(choice);
            for (int step = 0; step < losses.length; step++) {
                // Fused and unfused operators round differently, by a few ulp of a loss near 1.
                assertThat(losses[step]).as("%s, step %d", choice, step).isCloseTo(expected[step], within(5e-6f));
            }
        }
    }

    private static float[] losses(SessionSettings settings) {
        float[] losses = new float[4];
        try (TrainingSession session = TrainingSession.open(TrainingFiles.in(CLASSIFIER), settings)) {
            session.setLearningRate(1e-2f);
            for (int step = 0; step < losses.length; step++) {
                session.lazyResetGrad();
                losses[step] = session.trainStep(Goldens.batch(BATCHES, step, "input", "labels"))
                        .loss();
                session.optimizerStep();
            }
        }
        return losses;
    }

    @Test
    void aProfileTellsTheTimeByOperator() {
        Path prefix = folder.resolve("profile");
        losses(SessionSettings.defaults().withProfilePrefix(prefix));
        OperatorProfile profile = OperatorProfile.read(OperatorProfile.latestFile(prefix));
        assertThat(profile.runs()).isEqualTo(4);
        long micros = profile.operators().stream()
                .mapToLong(OperatorProfile.OperatorTime::micros)
                .sum();
        assertThat(micros).isPositive().isLessThanOrEqualTo(profile.runMicros());
        assertThat(profile.operators())
                .extracting(OperatorProfile.OperatorTime::operator)
                .contains("Gemm", "SoftmaxCrossEntropyLoss", "InPlaceAccumulatorV2");
        assertThat(profile.operators())
                .filteredOn(time -> time.operator().equals("InPlaceAccumulatorV2"))
                .singleElement()
                .extracting(OperatorProfile.OperatorTime::calls)
                .isEqualTo(16);
        for (int i = 1; i < profile.operators().size(); i++) {
            assertThat(profile.operators().get(i).micros())
                    .isLessThanOrEqualTo(profile.operators().get(i - 1).micros());
        }
    }
}
