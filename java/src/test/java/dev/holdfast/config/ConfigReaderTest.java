package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.error.HoldfastException;
import dev.holdfast.error.InvalidConfigurationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigReaderTest {
    private static final Path NAME = Path.of("anchor.yaml");
    private static final String COMPLETE =
            """
            artifact: artifacts/smollm2
            reference: runs/sft            # a run
            data: { train: train.jsonl, eval: eval.jsonl, retention: keep.jsonl }
            out: runs/anchor
            alpha: 0.25
            learning_rate: 1e-5
            """;

    @TempDir
    Path directory;

    private static ConfigReader complete() {
        return ConfigReader.of(Job.ANCHOR).yaml(COMPLETE, NAME);
    }

    private static List<String> problems(ConfigReader reader) {
        return catchThrowableOfType(InvalidConfigurationException.class, reader::read)
                .problems();
    }

    private static List<String> problemsOfLine(String line) {
        return problems(ConfigReader.of(Job.ANCHOR).yaml(COMPLETE + line, NAME));
    }

    @Test
    void aFileSetsWhatItNamesAndDefaultsSetTheRest() {
        TrainingConfig config = complete().read();
        assertThat(config.artifact()).isEqualTo(Path.of("artifacts/smollm2"));
        assertThat(config.dataTrain()).isEqualTo(Path.of("train.jsonl"));
        assertThat(config.dataRetention()).contains(Path.of("keep.jsonl"));
        assertThat(config.alpha()).isEqualTo(0.25);
        assertThat(config.learningRate()).isEqualTo(1e-5);
        assertThat(config.innerEpochs()).isEqualTo(5);
        assertThat(config.interpolation()).isEqualTo(Interpolation.LOGIT);
        assertThat(config.isSet(ConfigKeys.INNER_EPOCHS)).isFalse();
    }

    @Test
    void flagsCountMoreThanTheFileInWhateverOrderTheyCome() {
        assertThat(ConfigReader.of(Job.ANCHOR)
                        .flag("alpha", "0.75")
                        .yaml(COMPLETE, NAME)
                        .read()
                        .alpha())
                .isEqualTo(0.75);
        assertThat(complete().flag("data.train", "b.jsonl").read().dataTrain()).isEqualTo(Path.of("b.jsonl"));
        assertThat(complete().flag("data", "c.jsonl").read().dataTrain()).isEqualTo(Path.of("c.jsonl"));
        assertThat(complete().flag("learning-rate", "1").read().learningRate()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({"data: a.jsonl", "data.train: a.jsonl", "data: {train: a.jsonl}", "'data:\n  train: a.jsonl'"})
    void trainingRowsCanBeNamedInEveryWay(String line) {
        TrainingConfig config = ConfigReader.of(Job.SFT)
                .yaml("artifact: a\nout: b\n" + line, NAME)
                .read();
        assertThat(config.dataTrain()).isEqualTo(Path.of("a.jsonl"));
    }

    @ParameterizedTest
    @CsvSource({"1e-5, 1e-5", "1.0e-05, 1e-5", "1E-5, 1e-5", ".5, 0.5", "1, 1", "'\"1e-5\"', 1e-5", "+2.5, 2.5"})
    void numbersAreReadInEveryCommonSpelling(String text, double value) {
        assertThat(complete().yaml("weight_decay: " + text, NAME).read().weightDecay())
                .isEqualTo(value);
        assertThat(complete()
                        .flag("weight_decay", text.replace("\"", ""))
                        .read()
                        .weightDecay())
                .isEqualTo(value);
    }

    @ParameterizedTest
    @CsvSource({"3, 3", "3.0, 3", "1e3, 1000"})
    void wholeNumbersMayBeWrittenAsDecimals(String text, int value) {
        assertThat(complete().yaml("inner_epochs: " + text, NAME).read().innerEpochs())
                .isEqualTo(value);
    }

    @ParameterizedTest
    @CsvSource({"false, false", "no, false", "Off, false", "true, true", "YES, true"})
    void truthIsReadInEverySpellingOfYaml(String text, boolean value) {
        assertThat(complete().yaml("shuffle: " + text, NAME).read().shuffle()).isEqualTo(value);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"q_proj,v_proj", "q_proj v_proj", "'q_proj, v_proj'", "[q_proj, v_proj]", "\n- q_proj\n- v_proj"
            })
    void namesAreReadAsAListOrSeparatedByCommasOrBlanks(String text) {
        TrainingConfig config =
                complete().yaml("lora_r: 8\nlora_target_modules: " + text, NAME).read();
        assertThat(config.loraTargetModules()).containsExactly("q_proj", "v_proj");
        assertThat(ConfigReader.of(Job.ANCHOR).yaml(config.toYaml(), NAME).read())
                .isEqualTo(config);
    }

    @Test
    void listsOfOtherThingsThanNamesAreRefused() {
        assertThat(problemsOfLine("lora_r: 8\nlora_target_modules: [[a], b]\n"))
                .containsExactly(NAME
                        + ":8: lora_target_modules: expected names separated by commas, got a list of lists or keys");
        assertThat(problemsOfLine("lora_r: 8\nlora_target_modules: []\n"))
                .containsExactly(NAME + ":8: lora_target_modules: expected names separated by commas, got nothing");
    }

    @Test
    void settingsOfAdaptersNeedARank() {
        assertThat(problemsOfLine("lora_alpha: 8\nuse_rslora: true\n"))
                .containsExactly(
                        "lora_alpha: expected lora_r to be set as well, which alone makes adapters, got none",
                        "use_rslora: expected lora_r to be set as well, which alone makes adapters, got none");
    }

    @Test
    void minusOneAndZeroBothTurnTheStepLimitOff() {
        assertThat(complete().flag("max_steps", "-1").read().maxSteps()).isZero();
        assertThat(complete().flag("max_steps", "0").read().maxSteps()).isZero();
        assertThat(complete().flag("max_steps", "7").read().maxSteps()).isEqualTo(7);
    }

    @Test
    void anUnknownKeyIsToldWithItsLineAndTheNearestOne() {
        assertThat(problemsOfLine("learning_rat: 1"))
                .containsExactly("anchor.yaml:7: unknown key \"learning_rat\"; did you mean learning_rate?");
        assertThat(problemsOfLine("epochs: 1"))
                .containsExactly("anchor.yaml:7: unknown key \"epochs\"; did you mean inner_epochs?");
        assertThat(problemsOfLine("zzz: [1, {a: b}]"))
                .containsExactly("anchor.yaml:7: unknown key \"zzz\"; `holdfast schema` lists the keys");
        assertThat(problems(complete().flag("learning-rat", "1")))
                .containsExactly("--learning-rat: unknown flag; did you mean --learning_rate?");
        assertThat(problemsOfLine("data.trian: x"))
                .containsExactly("anchor.yaml:7: unknown key \"data.trian\"; did you mean data.train?");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "alpha: 1.5 | alpha: expected a number from 0 to 1, got \"1.5\"",
                "alpha: NaN | alpha: expected a number from 0 to 1, got \"NaN\"",
                "alpha: | alpha: expected a number from 0 to 1, got nothing",
                "alpha: ~ | alpha: expected a number from 0 to 1, got nothing",
                "alpha: [0.1, 0.2] | alpha: expected a number from 0 to 1, got a list",
                "alpha: {a: 1} | alpha: expected a number from 0 to 1, got keys below it",
                "adam_beta1: 1 | adam_beta1: expected a number from 0 to below 1, got \"1\"",
                "adam_epsilon: 0 | adam_epsilon: expected a number above 0, got \"0\"",
                "jsd_beta: 0 | jsd_beta: expected a number between 0 and 1 (neither included), got \"0\"",
                "learning_rate: 1e999999999 | learning_rate: expected a number of at least 0, got \"1e999999999\"",
                "learning_rate: fast | learning_rate: expected a number of at least 0, got \"fast\"",
                "max_length: 1.5 | max_length: expected a whole number of at least 2, got \"1.5\"",
                "max_length: 99999999999 | max_length: expected a whole number of at least 2, got \"99999999999\"",
                "per_device_train_batch_size: 0 | per_device_train_batch_size: expected a whole number of at least 1, got \"0\"",
                "shuffle: 2 | shuffle: expected true or false, got \"2\"",
                "interpolation: linear | interpolation: expected logit or probability, got \"linear\"",
                "num_train_epochs: 3 | num_train_epochs: not a key of anchor, but of sft and finetune; remove it, or run `holdfast finetune`",
            })
    void aWrongValueIsToldWithWhatIsExpected(String line, String problem) {
        String paths = "artifact: a\nreference: b\ndata: c\nout: d\n";
        assertThat(problems(ConfigReader.of(Job.ANCHOR).yaml(paths + line, NAME)))
                .first()
                .asString()
                .isEqualTo("anchor.yaml:5: " + problem);
    }

    @Test
    void aDryRunIsPointedToTheCommandThatMakesIt() {
        assertThat(problems(ConfigReader.of(Job.SFT).flag("dry-run", "")))
                .first()
                .asString()
                .isEqualTo("--dry-run: unknown flag; `holdfast validate --dry-run` with the same flags makes one step"
                        + " and keeps nothing of it");
    }

    @Test
    void allProblemsAreToldAtOnce() {
        ConfigReader reader = ConfigReader.of(Job.ANCHOR)
                .yaml("alpha: 2\nlearning_rat: 1\nseed: x\n", NAME)
                .flag("threads", "many");
        assertThat(problems(reader))
                .containsExactly(
                        "anchor.yaml:1: alpha: expected a number from 0 to 1, got \"2\"",
                        "anchor.yaml:2: unknown key \"learning_rat\"; did you mean learning_rate?",
                        "anchor.yaml:3: seed: expected a whole number of at least 0, got \"x\"",
                        "--threads: expected a whole number of at least 0, got \"many\"",
                        "--artifact: missing: anchor needs it, as a flag or in the file of --config",
                        "--reference: missing: anchor needs it, as a flag or in the file of --config",
                        "--data: missing: anchor needs it, as a flag or in the file of --config",
                        "--out: missing: anchor needs it, as a flag or in the file of --config");
    }

    @Test
    void aKeySetTwiceIsToldWithBothLines() {
        assertThat(problemsOfLine("alpha: 0.1")).containsExactly("anchor.yaml:7: alpha: set twice, first in line 5");
        assertThat(problemsOfLine("data.train: x"))
                .containsExactly("anchor.yaml:7: data.train: set twice, first in line 3");
        assertThat(problemsOfLine("data: x")).containsExactly("anchor.yaml:7: data: set twice, first in line 3");
    }

    @Test
    void keysThatContradictEachOtherAreTold() {
        assertThat(problemsOfLine("jsd_beta: 0.1"))
                .containsExactly("jsd_beta: expected divergence jsd, which alone uses it, got divergence forward_kl");
        assertThat(problemsOfLine("kl_budget: 0.1"))
                .containsExactly("alpha: expected to be left out, for kl_budget chooses it, got 0.25");
        String anchor = "artifact: a\nreference: r\ndata: d\nout: o\n";
        assertThat(problems(ConfigReader.of(Job.ANCHOR).yaml(anchor + "kl_retention_budget: 0.1", NAME)))
                .containsExactly(
                        "kl_retention_budget: expected data.retention to be set as well, got 0.1 without rows to measure on");
        assertThat(problems(ConfigReader.of(Job.SFT).yaml("artifact: a\ndata: d\nout: o\neval_steps: 5", NAME)))
                .containsExactly(
                        "eval_steps: expected data.eval or data.retention to be set as well, got 5 without rows to evaluate on");
    }

    @Test
    void whatIsNotAMapOfKeysIsToldInOneLine() {
        assertThat(problems(ConfigReader.of(Job.SFT).yaml("", NAME)))
                .first()
                .asString()
                .startsWith("anchor.yaml: empty: expected keys");
        assertThat(problems(ConfigReader.of(Job.SFT).yaml("# nothing\n", NAME)))
                .first()
                .asString()
                .startsWith("anchor.yaml: empty:");
        assertThat(problems(ConfigReader.of(Job.SFT).yaml("- a\n- b", NAME)))
                .first()
                .asString()
                .startsWith("anchor.yaml:1: ")
                .endsWith("got a list");
        assertThat(problems(ConfigReader.of(Job.SFT).yaml("\nhello", NAME)))
                .first()
                .asString()
                .startsWith("anchor.yaml:2: ")
                .endsWith("got plain text");
        assertThat(problemsOfLine("---\nalpha: 1"))
                .containsExactly("anchor.yaml:8: expected one YAML document, got a second one");
        assertThat(problemsOfLine("seed: &a 1\nthreads: *a"))
                .containsExactly("anchor.yaml:8: threads: expected a whole number of at least 0, got the alias *a");
    }

    @Test
    void brokenYamlIsToldWithItsLine() {
        assertThat(problemsOfLine("\tseed: 1")).contains("anchor.yaml:7: not YAML: a tab: expected spaces");
        assertThat(problemsOfLine("seed: [1, 2"))
                .first()
                .asString()
                .startsWith("anchor.yaml:")
                .contains("not YAML: ")
                .doesNotContain("\n");
        assertThat(problemsOfLine("seed: a: b"))
                .first()
                .asString()
                .startsWith("anchor.yaml:7: not YAML: mapping values");
    }

    @Test
    void aFileThatCannotBeReadIsTold() throws IOException {
        assertThat(problems(ConfigReader.of(Job.SFT).file(directory.resolve("none.yaml"))))
                .contains(directory.resolve("none.yaml") + ": no such file");
        assertThat(problems(ConfigReader.of(Job.SFT).file(directory)))
                .contains(directory + ": cannot be read: it is a directory");
        Path binary = Files.write(directory.resolve("model.yaml"), new byte[] {(byte) 0xff, (byte) 0xfe, 0, 1});
        assertThat(problems(ConfigReader.of(Job.SFT).file(binary)))
                .contains(binary + ": not YAML: expected UTF-8 text");
    }

    @Test
    void theKindOfJobFollowsFromItsKeys() {
        assertThat(ConfigReader.ofAnyJob().yaml(COMPLETE, NAME).read().job()).isEqualTo(Job.ANCHOR);
        String paths = "artifact: a\ndata: b\nout: c\n";
        assertThat(ConfigReader.ofAnyJob().yaml(paths, NAME).read().job()).isEqualTo(Job.SFT);
        assertThat(ConfigReader.ofAnyJob().yaml(paths + "alpha: 0", NAME).read().job())
                .isEqualTo(Job.FINETUNE);
    }

    @Test
    void anythingElseThanAConfigurationIsRefusedAsOne() {
        Random random = new Random(7);
        for (int round = 0; round < 3000; round++) {
            String text = mutated(random, COMPLETE);
            try {
                assertThat(ConfigReader.of(Job.ANCHOR).yaml(text, NAME).read().toYaml())
                        .isNotEmpty();
            } catch (HoldfastException refused) {
                assertThat(refused).isInstanceOf(InvalidConfigurationException.class);
                assertThat(refused.getMessage()).isNotBlank();
            }
        }
    }

    private static String mutated(Random random, String text) {
        StringBuilder mutant = new StringBuilder(text);
        String alphabet = "{}[]:,&*!|>'\"%@`#-? \n\t\0aé0.~\\";
        for (int change = 1 + random.nextInt(4); change > 0; change--) {
            int position = random.nextInt(mutant.length());
            char character = alphabet.charAt(random.nextInt(alphabet.length()));
            switch (random.nextInt(3)) {
                case 0 -> mutant.setCharAt(position, character);
                case 1 -> mutant.insert(position, character);
                default -> mutant.setLength(Math.max(1, position));
            }
        }
        return mutant.toString();
    }

    @Test
    void javaCallersMistakesAreIllegalArguments() {
        TrainingConfig config = TrainingConfig.of(Job.SFT);
        assertThatThrownBy(() -> config.with(ConfigKeys.ALPHA, 0.5))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("alpha: expected a key of sft");
        assertThatThrownBy(() -> config.with(ConfigKeys.WARMUP_RATIO, 2.0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("warmup_ratio: expected a number from 0 to 1, got 2.0");
        assertThatThrownBy(config::out)
                .isInstanceOf(InvalidConfigurationException.class)
                .hasMessage("out: missing: sft needs it; set it with FineTuning.to(path)");
    }
}
