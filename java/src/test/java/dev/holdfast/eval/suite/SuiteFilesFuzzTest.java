package dev.holdfast.eval.suite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.error.HoldfastException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.eval.ifeval.PunktParameters;
import dev.holdfast.eval.sandbox.PythonSandbox;
import dev.holdfast.eval.sandbox.SandboxLimits;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Data and responses that are damaged are read or refused by a message that names the file, and nothing else happens. */
class SuiteFilesFuzzTest {
    private static final int ROUNDS = 400;

    private static final String IGSM =
            """
            {"prompt": "The number of each A's B equals 3. How many B does A have?", "completion": "Define A's B as x; so x = 3.", "answer": 3, "op": 1}
            """;
    private static final String IFEVAL =
            """
            {"key": 1, "prompt": "p", "instruction_id_list": ["keywords:frequency"], "kwargs": [{"keyword": "a+", "frequency": 2, "relation": "at least"}]}
            """;
    private static final String MEDCALC =
            """
            {"messages": [{"role": "user", "content": "Here is the task:x"}, {"role": "assistant", "content": "1"}], "lower_bound": "1", "upper_bound": "2"}
            """;
    private static final String MMLU =
            """
            {"question_id": 7, "question": "q", "options": ["a", "b"], "answer_index": 1, "category": "law"}
            """;
    private static final String MATH =
            """
            {"problem": "p", "answer": "1", "subject": "Algebra", "unique_id": "t"}
            """;
    private static final String HUMANEVAL =
            """
            {"task_id": "H/0", "prompt": "def f():\\n", "entry_point": "f", "canonical_solution": " pass", "test": "def check(f): pass", "base_input": [[]], "plus_input": [[NaN]], "atol": 0}
            """;
    private static final String MBPP =
            """
            {"text": "t", "code": "def f(): pass", "task_id": 1, "test_setup_code": "", "test_list": ["assert f() == 1"]}
            """;
    private static final String COUNTDOWN = """
            {"nums": [1, 2, 3], "target": 6}
            """;

    @TempDir
    Path folder;

    static Stream<Arguments> rows() {
        return Stream.of(
                Arguments.of(SuiteName.IGSM, IGSM),
                Arguments.of(SuiteName.IFEVAL, IFEVAL),
                Arguments.of(SuiteName.MEDCALC, MEDCALC),
                Arguments.of(SuiteName.COUNTDOWN, COUNTDOWN),
                Arguments.of(SuiteName.MMLU_PRO, MMLU),
                Arguments.of(SuiteName.MMLU_PRO_LIKELIHOOD, MMLU),
                Arguments.of(SuiteName.MATH500, MATH),
                Arguments.of(SuiteName.HUMANEVAL, HUMANEVAL),
                Arguments.of(SuiteName.MBPP, MBPP),
                Arguments.of(SuiteName.PERPLEXITY, "{\"text\": \"a b c\"}\n"));
    }

    private static Suite read(SuiteName suite, Path data) {
        return new SuiteReader(
                        Optional.of(data), OptionalInt.empty(), 0, PunktParameters.basic(), SuiteFilesFuzzTest::sandbox)
                .read(suite);
    }

    /** Nothing is run here, so what this machine allows does not matter. */
    private static PythonSandbox sandbox() {
        return PythonSandbox.create(SandboxLimits.ofTime(Duration.ofSeconds(1)));
    }

    @ParameterizedTest
    @MethodSource("rows")
    void damagedDataAreReadOrRefused(SuiteName suite, String row) throws IOException {
        Path file = folder.resolve("data.jsonl");
        Files.writeString(file, row);
        assertThat(read(suite, file).size()).isEqualTo(1);
        spoil(row.strip(), suite.runsCode() ? ROUNDS / 10 : ROUNDS, file, () -> read(suite, file));
    }

    @Test
    void damagedResponsesAreReadOrRefused() throws IOException {
        Path file = folder.resolve("responses.jsonl");
        spoil(
                "{\"key\": \"a\", \"response\": \"b\"}\n{\"key\": 2, \"response\": \"\"}",
                ROUNDS,
                file,
                () -> ResponseFile.read(SuiteName.IGSM, file));
    }

    private static void spoil(String good, int rounds, Path file, Runnable reader) throws IOException {
        byte[] whole = good.getBytes(StandardCharsets.UTF_8);
        Random random = new Random(20261128);
        for (int round = 0; round < rounds; round++) {
            byte[] bytes = Arrays.copyOf(whole, round % 4 == 0 ? random.nextInt(whole.length) : whole.length);
            for (int hit = 0; bytes.length > 0 && hit < 1 + round % 3; hit++) {
                bytes[random.nextInt(bytes.length)] = (byte) "0-{}[]\",:\\(n+\u00ff".charAt(random.nextInt(14));
            }
            Files.write(file, bytes);
            try {
                reader.run();
            } catch (HoldfastException expected) {
                assertThat(expected).hasMessageContaining(file.getFileName().toString());
            }
        }
    }

    @Test
    void responsesBelongToQuestions() throws IOException {
        Path data = Files.writeString(folder.resolve("ifeval.jsonl"), IFEVAL);
        List<Question> questions = ((Suite.Questions) read(SuiteName.IFEVAL, folder)).questions();
        assertThat(data).exists();
        Path file = folder.resolve("responses.jsonl");
        Files.writeString(file, "{\"key\": \"1\", \"response\": \"aa\"}");
        ResponseFile responses = ResponseFile.read(SuiteName.IFEVAL, file);
        responses.requireKeysOf(questions);
        assertThat(responses.to(questions.get(0)).orElseThrow().text()).isEqualTo("aa");
        Files.writeString(file, "{\"key\": 2, \"response\": \"aa\"}");
        assertThatThrownBy(() -> ResponseFile.read(SuiteName.IFEVAL, file).requireKeysOf(questions))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageEndingWith(
                        "responses.jsonl: expected keys of the suite's questions, got 1 others, such as 2");
        Files.writeString(file, "{\"key\": 1, \"response\": \"a\"}\n{\"key\": \"1\", \"response\": \"b\"}");
        assertThatThrownBy(() -> ResponseFile.read(SuiteName.IFEVAL, file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("responses.jsonl:2: key: expected each key once");
        Files.writeString(file, "\n");
        assertThatThrownBy(() -> ResponseFile.read(SuiteName.IFEVAL, file).requireKeysOf(questions))
                .hasMessageContaining("no responses");
    }

    @Test
    void aFolderHoldsSuitesUnderTheirUsualNames() throws IOException {
        Files.createDirectories(folder.resolve("igsm"));
        Files.writeString(folder.resolve("igsm/test-b.jsonl"), IGSM);
        Files.writeString(folder.resolve("igsm/test-a.jsonl"), IGSM);
        Files.writeString(folder.resolve("igsm/train.jsonl"), "not read");
        assertThat(SuiteFiles.find(SuiteName.IGSM, folder).orElseThrow().paths())
                .containsExactly(folder.resolve("igsm/test-a.jsonl"), folder.resolve("igsm/test-b.jsonl"));
        List<Question> questions = ((Suite.Questions) read(SuiteName.IGSM, folder)).questions();
        assertThat(questions).extracting(question -> question.key().intValue()).containsExactly(0, 1);
        assertThatThrownBy(() -> read(SuiteName.MATH500, folder))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no data of math500: expected one of math500.jsonl");
    }

    @Test
    void keysThatComeTwiceAreRefused() throws IOException {
        Path file = Files.writeString(folder.resolve("ifeval.jsonl"), IFEVAL + IFEVAL);
        assertThatThrownBy(() -> read(SuiteName.IFEVAL, file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessage("ifeval: key 1: expected each key once, got it twice");
    }
}
