package dev.holdfast.eval.suite;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.IntNode;
import dev.holdfast.data.Example;
import dev.holdfast.data.Examples;
import dev.holdfast.data.JsonLine;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.eval.grading.CountdownGrader;
import dev.holdfast.eval.grading.CountdownProblem;
import dev.holdfast.eval.grading.IfevalGrader;
import dev.holdfast.eval.grading.IgsmGrader;
import dev.holdfast.eval.grading.MathGrader;
import dev.holdfast.eval.ifeval.IfevalInstructions;
import dev.holdfast.eval.ifeval.PunktParameters;
import dev.holdfast.eval.igsm.IgsmProblem;
import dev.holdfast.eval.sandbox.PythonSandbox;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Reads suites from their files. */
final class SuiteReader {
    private static final int GENERATED = 100;
    private static final String COUNTDOWN_TASK =
            "Using each of the numbers %s exactly once, write an expression that equals %d."
                    + " You may use +, -, *, / and parentheses.\nThink step by step, then give the"
                    + " expression within <answer> </answer> tags,"
                    + " for example <answer>(1 + 2) / 3</answer>.";
    private static final String MATH_TASK = "%s\n\nReason step by step, and put the final answer within \\boxed{}.";

    private final Optional<Path> data;
    private final OptionalInt limit;
    private final long seed;
    private final PunktParameters sentences;
    private final Supplier<PythonSandbox> sandbox;

    /**
     * @param data a file or a folder; nothing only for suites that are generated
     * @param limit the most questions of a suite
     * @param seed of generated questions
     * @param sentences what tells sentences apart
     * @param sandbox where code is run
     */
    SuiteReader(
            Optional<Path> data,
            OptionalInt limit,
            long seed,
            PunktParameters sentences,
            Supplier<PythonSandbox> sandbox) {
        this.data = data;
        this.limit = limit;
        this.seed = seed;
        this.sentences = sentences;
        this.sandbox = sandbox;
    }

    /**
     * Reads a suite up to the limit; what lies beyond it is checked as well.
     *
     * @throws MalformedFileException if a line is not of the suite
     * @throws InvalidInputException if there is no file or no line, or two lines have one key
     */
    Suite read(SuiteName name) {
        return switch (name) {
            case IGSM -> questions(name, igsm(files(name)));
            case IFEVAL -> questions(name, files(name).read(this::ifeval));
            case MEDCALC -> questions(name, MedCalcRows.questions(files(name)));
            case COUNTDOWN -> questions(name, countdown());
            case MMLU_PRO -> questions(name, files(name).read(MultipleChoice::question));
            case MMLU_PRO_LIKELIHOOD -> new Suite.Choices(
                    name, limited(files(name).read(MultipleChoice::choice)));
            case MATH500 -> questions(name, files(name).read(SuiteReader::math));
            case HUMANEVAL, MBPP -> questions(name, code(name));
            case PERPLEXITY -> rows(name, files(name).paths());
        };
    }

    private SuiteFiles files(SuiteName name) {
        Path place = data.orElseThrow(() -> new InvalidInputException(
                name.id() + ": expected a file or folder of its data, got none; name it with --data"));
        return SuiteFiles.find(name, place)
                .orElseThrow(() -> new InvalidInputException(place + ": no data of " + name.id() + ": expected one of "
                        + name.files().stream().map(file -> file + ".jsonl").collect(Collectors.joining(", "))
                        + " (or .jsonl.gz), got none; name the file itself with --data"));
    }

    private Suite questions(SuiteName name, List<Question> all) {
        Set<String> keys = new HashSet<>();
        for (Question question : all) {
            if (!keys.add(question.key().asText())) {
                throw new InvalidInputException(
                        name.id() + ": key " + question.key() + ": expected each key once, got it twice");
            }
        }
        return new Suite.Questions(name, limited(all));
    }

    private <T> List<T> limited(List<T> all) {
        return all.subList(0, Math.min(all.size(), limit.orElse(all.size())));
    }

    private static List<Question> igsm(SuiteFiles files) {
        List<Question> questions = new ArrayList<>();
        files.read(line -> {
            String text = line.text("prompt");
            IgsmProblem problem = IgsmProblem.of(text, line.text("completion"))
                    .orElseThrow(() -> line.malformed("prompt: expected a problem as iGSM words it"));
            int answer = line.whole("answer");
            return questions.add(new Question(
                    IntNode.valueOf(questions.size()),
                    Prompt.of(text),
                    new IgsmGrader(problem, answer),
                    operations(line)));
        });
        return questions;
    }

    private static String operations(JsonLine line) {
        return line.has("op") ? "op " + line.whole("op") : "";
    }

    private Question ifeval(JsonLine line) {
        IfevalInstructions instructions = IfevalInstructions.of(line, sentences);
        return new Question(key(line, "key"), Prompt.of(line.text("prompt")), new IfevalGrader(instructions), "");
    }

    /** What names a line in its data: a text or a whole number. */
    static JsonNode key(JsonLine line, String field) {
        JsonNode key = line.object().path(field);
        if (!key.isTextual() && !key.isIntegralNumber()) {
            throw line.malformed(
                    field + ": expected a text or a whole number, got " + (key.isMissingNode() ? "none" : key));
        }
        return key;
    }

    private List<Question> countdown() {
        return data.flatMap(place -> SuiteFiles.find(SuiteName.COUNTDOWN, place))
                .map(SuiteReader::countdown)
                .orElseGet(() -> generatedCountdown(limit.orElse(GENERATED), seed));
    }

    private static List<Question> countdown(SuiteFiles files) {
        List<Question> questions = new ArrayList<>();
        files.read(line -> questions.add(
                countdown(questions.size(), line.wholes(line.has("nums") ? "nums" : "numbers"), line.whole("target"))));
        return questions;
    }

    private static List<Question> generatedCountdown(int count, long seed) {
        List<CountdownProblem> problems = CountdownProblem.generate(count, seed);
        return IntStream.range(0, count)
                .mapToObj(index -> countdown(
                        index,
                        problems.get(index).numbers(),
                        problems.get(index).target()))
                .toList();
    }

    private static Question countdown(int index, List<Integer> numbers, int target) {
        return new Question(
                IntNode.valueOf(index),
                Prompt.of(COUNTDOWN_TASK.formatted(numbers, target)),
                new CountdownGrader(numbers, target),
                numbers.size() + " numbers");
    }

    private static Question math(JsonLine line) {
        return new Question(
                key(line, "unique_id"),
                Prompt.of(MATH_TASK.formatted(line.text("problem"))),
                new MathGrader(line.text("answer")),
                line.has("subject") ? line.text("subject") : "");
    }

    private List<Question> code(SuiteName name) {
        CodeRows rows = new CodeRows(sandbox.get());
        return files(name).read(name == SuiteName.HUMANEVAL ? rows::humanEval : rows::mbpp);
    }

    private Suite rows(SuiteName name, List<Path> paths) {
        List<Example> examples = new ArrayList<>();
        for (Path path : paths) {
            if (path.toString().endsWith(".txt")) {
                examples.addAll(paragraphs(path));
            } else {
                Examples.jsonLines(path).forEach(row -> examples.add(row.example()));
            }
        }
        List<Example> some = limited(examples);
        return new Suite.Rows(name, Examples.of(some), some.size());
    }

    private static List<Example> paragraphs(Path file) {
        try {
            List<Example> paragraphs = Arrays.stream(Files.readString(file).split("\\R\\s*\\R"))
                    .map(String::strip)
                    .filter(text -> !text.isEmpty())
                    .map(text -> (Example) new Example.Text(text))
                    .toList();
            if (paragraphs.isEmpty()) {
                throw new InvalidInputException(file + ": no text: expected at least one paragraph");
            }
            return paragraphs;
        } catch (CharacterCodingException e) {
            throw MalformedFileException.of(file, "expected UTF-8 text", e);
        } catch (IOException e) {
            throw FileAccessException.reading(file, e);
        }
    }
}
