package dev.holdfast.eval.ifeval;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.data.JsonLine;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The instructions of one prompt. Thread safety: responses may be judged from several threads. */
public final class IfevalInstructions {
    private static final String IDS = "instruction_id_list";
    private static final String ARGUMENTS = "kwargs";
    private static final Map<String, InstructionType> TYPES =
            Stream.of(InstructionType.values()).collect(Collectors.toMap(InstructionType::id, Function.identity()));

    private final List<String> ids;
    private final List<Predicate<String>> rules;

    private IfevalInstructions(List<String> ids, List<Predicate<String>> rules) {
        this.ids = ids;
        this.rules = rules;
    }

    /**
     * Reads the instructions of a line of IFEval's data: {@code instruction_id_list}, and {@code kwargs} with an object for each.
     *
     * @param sentences what tells sentences apart
     * @throws dev.holdfast.error.MalformedFileException if an instruction is unknown, or an argument is missing or out of its range
     */
    public static IfevalInstructions of(JsonLine line, PunktParameters sentences) {
        SentenceSplitter splitter = new SentenceSplitter(sentences);
        InstructionType.TextTools tools = new InstructionType.TextTools(splitter, new WordTokenizer(splitter));
        List<String> ids = line.texts(IDS);
        JsonNode arguments = line.list(ARGUMENTS);
        if (ids.size() != arguments.size()) {
            throw line.malformed(ARGUMENTS + ": expected one object for each of the " + ids.size() + " of " + IDS
                    + ", got " + arguments.size());
        }
        return new IfevalInstructions(
                ids,
                IntStream.range(0, ids.size())
                        .mapToObj(index -> rule(line, ids.get(index), arguments.get(index), tools))
                        .toList());
    }

    private static Predicate<String> rule(
            JsonLine line, String id, JsonNode arguments, InstructionType.TextTools tools) {
        InstructionType type = TYPES.get(id);
        if (type == null) {
            throw line.malformed(IDS + ": expected one of "
                    + TYPES.keySet().stream().sorted().toList() + ", got " + id);
        }
        return type.rule(new InstructionArguments(line, id, arguments), tools);
    }

    /** The names of the instructions. */
    public List<String> ids() {
        return ids;
    }

    /** Whether a response follows each instruction. */
    public List<Boolean> strict(String response) {
        return follows(List.of(response));
    }

    /** Whether a response follows each instruction as it is, or without its first line, its last line, or its stars. */
    public List<Boolean> loose(String response) {
        int firstEnd = response.indexOf('\n');
        int lastStart = response.lastIndexOf('\n');
        String withoutFirst = firstEnd < 0 ? "" : response.substring(firstEnd + 1);
        String withoutLast = lastStart < 0 ? "" : response.substring(0, lastStart);
        String inside = firstEnd == lastStart ? "" : response.substring(firstEnd + 1, lastStart);
        List<String> variants = Stream.of(withoutFirst, withoutLast, inside)
                .map(PythonString::strip)
                .toList();
        return follows(Stream.concat(Stream.of(response), variants.stream())
                .flatMap(variant -> Stream.of(variant, variant.replace("*", "")))
                .toList());
    }

    private List<Boolean> follows(List<String> variants) {
        List<String> written = variants.stream()
                .filter(variant -> !PythonString.isBlank(variant))
                .distinct()
                .toList();
        return rules.stream().map(rule -> written.stream().anyMatch(rule)).toList();
    }
}
