package dev.holdfast.eval.suite;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.holdfast.data.JsonLine;
import dev.holdfast.data.Message;
import dev.holdfast.eval.grading.CodeGrader;
import dev.holdfast.eval.grading.CodeProblem;
import dev.holdfast.eval.sandbox.PythonSandbox;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Rows of HumanEval and MBPP, and of their extensions HumanEval+ and MBPP+, which bring further inputs. */
final class CodeRows {
    private static final String COMPLETE =
            "Complete this Python function. Answer with the whole function in one code block.\n\n```python\n%s\n```";
    private static final String WRITE =
            "%s\nYour code should pass these tests:\n\n%s\n\nAnswer with the code in one block.";
    private static final Pattern CALLED = Pattern.compile("assert\\s+(?:\\w+\\s*\\(\\s*)?(?:not\\s+)?(\\w+)\\s*\\(");
    private static final Pattern DEFINED = Pattern.compile("^def\\s+(\\w+)", Pattern.MULTILINE);

    /** Writes NaN and Infinity as Python reads them. */
    private static final ObjectMapper PYTHON_JSON =
            JsonMapper.builder().disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS).build();

    private final PythonSandbox sandbox;

    CodeRows(PythonSandbox sandbox) {
        this.sandbox = sandbox;
    }

    Question humanEval(JsonLine line) {
        String start = line.text("prompt");
        String entryPoint = line.text("entry_point");
        String tests = line.text("test") + "\n\ncheck(" + entryPoint + ")\n";
        Optional<CodeProblem.Comparison> comparison = comparison(line, start + line.text("canonical_solution"));
        return question(
                line,
                new Prompt(List.of(new Message("user", COMPLETE.formatted(start.strip()))), start),
                new CodeProblem(start, entryPoint, tests, comparison));
    }

    Question mbpp(JsonLine line) {
        if (line.has("test_list")) {
            return original(line);
        }
        String task = line.text("prompt").strip();
        CodeProblem problem = new CodeProblem(
                "",
                line.text("entry_point"),
                // The assertions of MBPP+ take it for imported.
                "import math\n" + line.text("assertion"),
                comparison(line, line.text("canonical_solution")));
        return question(line, prompt(task.replace("\"\"\"", "").strip(), task + "\n"), problem);
    }

    private Question original(JsonLine line) {
        String tests = String.join("\n", line.texts("test_list"));
        String setup = line.has("test_setup_code") ? line.text("test_setup_code") : "";
        String task = WRITE.formatted(line.text("text"), tests);
        return question(
                line,
                prompt(task, "\"\"\"\n" + line.text("text") + "\n" + tests + "\n\"\"\"\n"),
                new CodeProblem("", entryPoint(line, tests), setup + "\n" + tests, Optional.empty()));
    }

    private static Prompt prompt(String task, String text) {
        return new Prompt(List.of(new Message("user", task)), text);
    }

    /** The function that the reference defines and the tests call. */
    private static String entryPoint(JsonLine line, String tests) {
        String last = "";
        for (Matcher defined = DEFINED.matcher(line.text("code")); defined.find(); ) {
            last = tests.contains(defined.group(1)) ? defined.group(1) : last;
        }
        Matcher called = CALLED.matcher(tests);
        if (last.isEmpty() && !called.find()) {
            throw line.malformed("test_list: expected assertions on a function, got " + tests);
        }
        return last.isEmpty() ? called.group(1) : last;
    }

    private static Optional<CodeProblem.Comparison> comparison(JsonLine line, String reference) {
        if (!line.has("plus_input")) {
            return Optional.empty();
        }
        ArrayNode inputs = JsonNodeFactory.instance.arrayNode();
        inputs(line, "base_input").forEach(inputs::add);
        inputs(line, "plus_input").forEach(inputs::add);
        double tolerance = line.object().path("atol").asDouble(0);
        return Optional.of(new CodeProblem.Comparison(reference, written(inputs), tolerance));
    }

    /** MBPP+ writes an empty object where a function has no further inputs. */
    private static JsonNode inputs(JsonLine line, String field) {
        JsonNode inputs = line.object().path(field);
        return inputs.isObject() && inputs.isEmpty() ? inputs : line.list(field);
    }

    private static String written(ArrayNode inputs) {
        try {
            return PYTHON_JSON.writeValueAsString(inputs);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("what was read as JSON is JSON", e);
        }
    }

    private Question question(JsonLine line, Prompt prompt, CodeProblem problem) {
        return new Question(SuiteReader.key(line, "task_id"), prompt, new CodeGrader(problem, sandbox), "");
    }
}
