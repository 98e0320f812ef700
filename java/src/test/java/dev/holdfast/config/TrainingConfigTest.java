package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class TrainingConfigTest {
    private static final Path NAME = Path.of("config.yaml");

    private static TrainingConfig withPaths(Path path) {
        return TrainingConfig.of(Job.ANCHOR)
                .with(ConfigKeys.ARTIFACT, path)
                .with(ConfigKeys.REFERENCE, path)
                .with(ConfigKeys.DATA_TRAIN, path)
                .with(ConfigKeys.OUT, path);
    }

    @Property(tries = 300)
    void whatIsWrittenAsYamlReadsBackEqual(
            @ForAll("fractions") double alpha,
            @ForAll("positives") double temperature,
            @ForAll @LongRange(min = 0) long seed,
            @ForAll boolean shuffle,
            @ForAll Interpolation interpolation,
            @ForAll("paths") String path) {
        TrainingConfig config = withPaths(Path.of(path))
                .with(ConfigKeys.ALPHA, alpha)
                .with(ConfigKeys.TEMPERATURE, temperature)
                .with(ConfigKeys.SEED, seed)
                .with(ConfigKeys.SHUFFLE, shuffle)
                .with(ConfigKeys.INTERPOLATION, interpolation);
        String yaml = config.toYaml();
        TrainingConfig again = ConfigReader.of(Job.ANCHOR).yaml(yaml, NAME).read();
        assertThat(again).isEqualTo(config).hasSameHashCodeAs(config);
        assertThat(again.toYaml()).isEqualTo(yaml);
    }

    @Provide
    Arbitrary<Double> fractions() {
        return Arbitraries.longs().map(bits -> (bits >>> 11) * 0x1p-53);
    }

    @Provide
    Arbitrary<Double> positives() {
        return Arbitraries.longs().map(Double::longBitsToDouble).filter(value -> Double.isFinite(value) && value > 0);
    }

    @Provide
    Arbitrary<String> paths() {
        Arbitrary<String> odd = Arbitraries.strings()
                .withChars("ab/. :#'\"-?{}[]&*!|>%@,~é0")
                .ofMinLength(1)
                .ofMaxLength(12);
        return Arbitraries.oneOf(odd, Arbitraries.of("true", "1e-5", "null", "no", "a\tb", "*a", "2026-11-22"))
                .filter(text -> !text.isBlank() && !text.startsWith("~/"));
    }

    @Test
    void yamlFollowsTheOrderOfTheTableAndNestsData() {
        assertThat(withPaths(Path.of("a b")).toYaml())
                .startsWith(
                        "artifact: a b\nreference: a b\ndata:\n  train: a b\nout: a b\nresume: false\nlearning_rate: 1.0e-5\n")
                .contains("interpolation: logit\n");
    }

    @Test
    void aJobOfTwoStagesSplitsIntoThem() {
        TrainingConfig both =
                TrainingConfig.of(Job.FINETUNE).with(ConfigKeys.ALPHA, 0.1).with(ConfigKeys.NUM_TRAIN_EPOCHS, 2L);
        assertThat(both.as(Job.SFT)).isEqualTo(TrainingConfig.of(Job.SFT).with(ConfigKeys.NUM_TRAIN_EPOCHS, 2L));
        assertThat(both.as(Job.ANCHOR)).isEqualTo(TrainingConfig.of(Job.ANCHOR).with(ConfigKeys.ALPHA, 0.1));
    }

    @Test
    void defaultsOfTheMethodAreThoseOfThePaper() {
        TrainingConfig config = TrainingConfig.of(Job.ANCHOR);
        assertThat(config.alpha()).isEqualTo(0.5);
        assertThat(config.innerEpochs() * config.outerIterations()).isEqualTo(25);
        assertThat(config.learningRate()).isEqualTo(1e-5);
        assertThat(config.snapshot()).isEqualTo(SnapshotMode.MODEL);
        assertThat(config.restartOptimizer()).isTrue();
        assertThat(config.hardWeight()).isZero();
    }

    @Test
    void everyKeyHasADefaultThatItsOwnRangeAllowsAndReadsBack() {
        assertThat(ConfigKeys.all()).allSatisfy(TrainingConfigTest::defaultReadsBack);
        assertThat(ConfigKeys.all()).extracting(ConfigKey::name).doesNotHaveDuplicates();
    }

    private static <T> void defaultReadsBack(ConfigKey<T> key) {
        assertThat(key.defaultText().flatMap(key.type()::parse)).as(key.name()).isEqualTo(key.defaultValue());
        assertThat(key.help()).as(key.name()).doesNotContain("\n").isNotBlank();
    }

    @Test
    void theSchemaDescribesEveryKey() {
        var properties = ConfigSchema.json().get("properties");
        assertThat(properties.at("/alpha/maximum").doubleValue()).isEqualTo(1);
        assertThat(properties.at("/data/properties/train/type").textValue()).isEqualTo("string");
        assertThat(properties.at("/snapshot/enum/1").textValue()).isEqualTo("current");
        assertThat(ConfigSchema.markdown().lines()).hasSize(ConfigKeys.all().size() + 2);
    }
}
