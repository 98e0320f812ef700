package dev.holdfast.eval.grading;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.eval.sandbox.PythonSandbox;
import dev.holdfast.eval.sandbox.SandboxResult;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Code: {@code correct} where the tests pass in the sandbox; where there are further inputs also {@code plus}, if on them too the function
 * returns what the reference returns.
 */
public final class CodeGrader implements Grader {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern FENCED = Pattern.compile("```[\\w+-]*\\n(.*?)(?:```|\\z)", Pattern.DOTALL);
    private static final String COMPARISON = text("comparison.py");

    private final CodeProblem problem;
    private final PythonSandbox sandbox;
    private final Pattern definition;

    public CodeGrader(CodeProblem problem, PythonSandbox sandbox) {
        this.problem = problem;
        this.sandbox = sandbox;
        this.definition = Pattern.compile(
                "^\\s*(?:async\\s+)?def\\s+" + Pattern.quote(problem.entryPoint()) + "\\b", Pattern.MULTILINE);
    }

    private static String text(String resource) {
        try (InputStream stream = CodeGrader.class.getResourceAsStream(resource)) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public Verdict grade(String response) {
        String program = program(response);
        SandboxResult tests = sandbox.run(program + "\n\n" + problem.tests());
        Verdict verdict = Verdict.of(tests.passed());
        if (problem.comparison().isEmpty()) {
            return verdict.withField("fault", tests.passed() ? null : tests.reason());
        }
        SandboxResult plus = tests.passed()
                ? sandbox.run(program + "\n\n" + comparison(problem.comparison().get()))
                : tests;
        return verdict.with("plus", plus.passed()).withField("fault", plus.passed() ? null : plus.reason());
    }

    /** The whole program: the response's code, behind the given start unless it defines the function itself. */
    private String program(String response) {
        String code = code(response);
        Matcher own = definition.matcher(code);
        if (!own.find()) {
            return problem.start() + code;
        }
        Matcher given = definition.matcher(problem.start());
        return (given.find() ? problem.start().substring(0, given.start()) + "\n" : "") + code;
    }

    /** The first fenced block that defines the function, else the first one, else all of it. */
    private String code(String response) {
        String first = null;
        for (Matcher fenced = FENCED.matcher(response); fenced.find(); ) {
            if (definition.matcher(fenced.group(1)).find()) {
                return fenced.group(1);
            }
            first = first == null ? fenced.group(1) : first;
        }
        return first == null ? response : first;
    }

    private String comparison(CodeProblem.Comparison comparison) {
        return COMPARISON
                .replace("@ENTRY_POINT@", quoted(problem.entryPoint()))
                .replace("@TOLERANCE@", Double.toString(comparison.tolerance()))
                .replace("@REFERENCE@", quoted(comparison.reference()))
                .replace("@INPUTS@", quoted(comparison.inputs()));
    }

    /** A text as JSON writes it, which Python reads as a literal. */
    private static String quoted(String text) {
        try {
            return JSON.writeValueAsString(text);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("texts are always JSON", e);
        }
    }
}
