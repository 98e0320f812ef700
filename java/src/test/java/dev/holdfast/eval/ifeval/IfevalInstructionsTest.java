package dev.holdfast.eval.ifeval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.data.JsonLine;
import dev.holdfast.data.JsonLines;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.testing.PunktFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The instructions against the verdicts of the official program (tools/reference/make_ifeval_goldens.py). */
class IfevalInstructionsTest {
    private static final Path VERDICTS = Path.of("java/src/test/resources/golden/ifeval/verdicts.jsonl");

    /** Kinds whose official rule takes Punkt's trained parameters, which the project does not carry. */
    private static final Set<String> BY_SENTENCE =
            Set.of("length_constraints:number_sentences", "change_case:capital_word_frequency");

    @TempDir
    Path folder;

    /** Kinds that ask for a language. */
    private static final Set<String> BY_LANGUAGE =
            Set.of("language:response_language", "change_case:english_capital", "change_case:english_lowercase");

    @Test
    void verdictsAreThoseOfTheOfficialProgram() {
        assertThat(differences(PunktParameters.basic(), id -> !BY_SENTENCE.contains(id) && !BY_LANGUAGE.contains(id)))
                .isEmpty();
    }

    /** The library's Korean profile is older than that of its port, which of one text that mixes Korean and English says English. */
    @Test
    void verdictsOnLanguagesAreThoseOfTheOfficialProgramButForOneOfMixedLanguages() {
        assertThat(differences(PunktParameters.basic(), BY_LANGUAGE::contains))
                .allMatch(difference -> difference.contains("{\"language\":\"ko\"}")
                        && difference.contains("Here are indicator and management."));
    }

    @Test
    void verdictsOnSentencesAreThoseOfTheOfficialProgram() {
        PunktParameters english = PunktParameters.read(PunktFolder.require());
        assertThat(differences(english, BY_SENTENCE::contains)).isEmpty();
    }

    @Test
    void theGoldensHoldEveryKindBothFollowedAndNot() {
        Set<String> seen = new TreeSet<>();
        int[] pairs = {0};
        new JsonLines(VERDICTS).forEach(line -> {
            List<String> ids = line.texts("instruction_id_list");
            pairs[0] += ids.size();
            for (int i = 0; i < ids.size(); i++) {
                seen.add(ids.get(i) + " " + line.list("strict").get(i));
            }
        });
        Set<String> all = Stream.of(InstructionType.values())
                .flatMap(type -> Stream.of(type.id() + " true", type.id() + " false"))
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(seen).isEqualTo(all);
        assertThat(pairs[0]).isGreaterThanOrEqualTo(500);
    }

    /** Long runs of what patterns repeat: each kind answers, soon and without running out of stack. */
    @Test
    void hostileResponsesAreJudged() {
        List<String> runs = List.of(
                ". ", "...", "*", "\n", "[", "\"", "<<", "<<a", "-", "a", "A.", "1,", "{\"a\":", "'", "``", "\u00e9 ",
                "U.S. ");
        List<IfevalInstructions> kinds = new ArrayList<>();
        Set<String> seen = new TreeSet<>();
        new JsonLines(VERDICTS).forEach(line -> {
            if (seen.addAll(line.texts("instruction_id_list"))) {
                kinds.add(IfevalInstructions.of(line, PunktParameters.basic()));
            }
        });
        for (String run : runs) {
            String response = run.repeat(20_000 / run.length());
            assertThat(kinds).as(run).allSatisfy(kind -> assertThat(kind.loose(response))
                    .hasSameSizeAs(kind.ids()));
        }
    }

    private interface Choice {
        boolean includes(String id);
    }

    private static List<String> differences(PunktParameters sentences, Choice choice) {
        List<String> differences = new ArrayList<>();
        new JsonLines(VERDICTS).forEach(line -> {
            IfevalInstructions instructions = IfevalInstructions.of(line, sentences);
            String response = line.text("response");
            compare(line, "strict", instructions.strict(response), choice, differences);
            compare(line, "loose", instructions.loose(response), choice, differences);
        });
        return differences;
    }

    private static void compare(
            JsonLine line, String field, List<Boolean> got, Choice choice, List<String> differences) {
        JsonNode expected = line.list(field);
        List<String> ids = line.texts("instruction_id_list");
        for (int i = 0; i < got.size(); i++) {
            if (choice.includes(ids.get(i)) && expected.get(i).booleanValue() != got.get(i)) {
                differences.add(line.where() + ": " + ids.get(i) + " "
                        + line.list("kwargs").get(i) + ": " + field + ": expected " + expected.get(i) + ", got "
                        + got.get(i) + " for " + line.object().get("response"));
            }
        }
    }

    private IfevalInstructions read(String id, String arguments) throws IOException {
        Path file = Files.writeString(
                folder.resolve("data.jsonl"),
                "{\"instruction_id_list\": [\"" + id + "\"], \"kwargs\": [" + arguments + "]}");
        IfevalInstructions[] read = new IfevalInstructions[1];
        new JsonLines(file).forEach(line -> read[0] = IfevalInstructions.of(line, PunktParameters.basic()));
        return read[0];
    }

    @Test
    void aMarkThatIsNoLetterIsCountedItself() throws IOException {
        IfevalInstructions hashes = read(
                "keywords:letter_frequency",
                "{\"letter\": \"#\", \"let_frequency\": 2, \"let_relation\": \"at least\"}");
        assertThat(hashes.strict("# a #")).containsExactly(true);
        assertThat(hashes.strict("# a")).containsExactly(false);
    }

    @Test
    void anEmptyResponseFollowsNothing() throws IOException {
        IfevalInstructions noComma = read("punctuation:no_comma", "{}");
        assertThat(noComma.strict(" \n")).containsExactly(false);
        assertThat(noComma.loose("*")).containsExactly(true);
        assertThat(noComma.loose("")).containsExactly(false);
    }

    @Test
    void faultsOfTheDataNameLineAndInstruction() {
        assertThatThrownBy(() -> read("keywords:nothing", "{}"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("data.jsonl:1: instruction_id_list: expected one of [change_case:");
        assertThatThrownBy(() -> read("length_constraints:number_words", "{\"num_words\": 5}"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining(
                        "data.jsonl:1: kwargs of length_constraints:number_words: relation: expected a text, got none");
        assertThatThrownBy(() -> read("keywords:existence", "{\"keywords\": [\"a(\"]}"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining(
                        "kwargs of keywords:existence: expected words or regular expressions, got \"a(\"");
    }
}
