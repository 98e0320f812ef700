package dev.holdfast.eval.grading;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.error.InvalidInputException;
import dev.holdfast.eval.sandbox.PythonSandbox;
import dev.holdfast.eval.sandbox.SandboxLimits;
import dev.holdfast.eval.sandbox.SandboxResult;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Code of responses, in the sandbox. */
class CodeGraderTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final String START = "import math\n\n\ndef twice(x):\n    \"\"\"Twice x.\"\"\"\n";
    private static final String TESTS = "assert twice(2) == 4\nassert math.isclose(twice(0.1), 0.2)";

    private static PythonSandbox sandbox;

    @BeforeAll
    static void makeSandbox() {
        try {
            sandbox = PythonSandbox.create(SandboxLimits.ofTime(PATIENCE));
        } catch (InvalidInputException missing) {
            Assumptions.abort("skipped: " + missing.getMessage());
        }
    }

    private static Verdict grade(String response) {
        return new CodeGrader(new CodeProblem(START, "twice", TESTS, Optional.empty()), sandbox).grade(response);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "    return 2 * x",
                "Here:\n```python\ndef twice(x):\n    return x + x\n```\nDone.",
                "```\n    return 2 * x\n```",
                "def twice(x):\n    return x * 2",
                "```python\nprint('no')\n```\n```python\ndef twice(x): return x + x\n```",
                "```python\ndef twice(x):\n    return x + x\n"
            })
    void rightCodeInManyFormsPasses(String response) {
        assertThat(grade(response).fields()).as(response).containsEntry("correct", true);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "    return x",
                "    retrun x",
                "    raise SystemExit(0)",
                "    import os; os._exit(0)",
                "def other(x):\n    return 2 * x"
            })
    void wrongCodeAndCodeThatEndsEarlyFails(String response) {
        assertThat(grade(response).fields()).as(response).containsEntry("correct", false);
    }

    @Test
    void faultsAreTheLastLineOfPython() {
        assertThat(grade("    return y").fields().get("fault")).isEqualTo("NameError: name 'y' is not defined");
    }

    @Test
    void furtherInputsAreComparedWithTheReference() {
        CodeProblem problem = new CodeProblem(
                START,
                "twice",
                TESTS,
                Optional.of(new CodeProblem.Comparison(
                        START + "    return 2 * x", "[[3], [NaN], [[1, 2.5]], [{\"no\": 1}], [-1e300]]", 0)));
        CodeGrader grader = new CodeGrader(problem, sandbox);
        assertThat(grader.grade("    return x + x").fields())
                .containsEntry("correct", true)
                .containsEntry("plus", true);
        Verdict wrong = grader.grade("    return 4 if x == 2 else 0.2");
        assertThat(wrong.fields()).containsEntry("correct", true).containsEntry("plus", false);
        assertThat(wrong.fields().get("fault")).asString().contains("[3]: expected 6, got 0.2");
    }

    @Test
    void endlessProgramsAreEnded() {
        PythonSandbox impatient = PythonSandbox.create(SandboxLimits.ofTime(Duration.ofSeconds(1)));
        long started = System.nanoTime();
        assertThat(impatient.run("import time\nwhile True:\n    time.sleep(1)").reason())
                .isEqualTo("time is up after 1 s");
        assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(PATIENCE);
    }

    @Test
    void processorTimeIsLimited() {
        PythonSandbox impatient = PythonSandbox.create(SandboxLimits.ofTime(Duration.ofSeconds(1)));
        assertThat(impatient.run("while True:\n    pass").reason()).isEqualTo("time is up after 1 s");
    }

    @Test
    void memoryIsLimited() {
        SandboxResult result = sandbox.run("x = bytearray(3 << 30)");
        assertThat(result.passed()).isFalse();
        assertThat(result.reason()).startsWith("MemoryError");
    }

    @Test
    void filesAreLimited() {
        assertThat(sandbox.run("open('large', 'wb').write(bytes(64 << 20))").passed())
                .isFalse();
    }

    @Test
    void thereIsNoNetwork() {
        Assumptions.assumeTrue(sandbox.isWithoutNetwork(), "skipped: unshare is not permitted here");
        String program = "import socket\ns = socket.socket()\ns.bind(('127.0.0.1', 0))\ns.listen()\n"
                + "socket.create_connection(s.getsockname(), timeout=5)";
        assertThat(sandbox.run(program).passed()).isFalse();
    }

    @Test
    void theEnvironmentIsNotHandedOn() {
        assertThat(sandbox.run(
                                "import os\nassert set(os.environ) <= {'PATH', 'HOME', 'TMPDIR', 'LC_ALL', 'LC_CTYPE', 'PWD'}, os.environ")
                        .reason())
                .isEmpty();
    }
}
