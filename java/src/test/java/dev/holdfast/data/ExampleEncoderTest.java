package dev.holdfast.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.config.TooLongRows;
import dev.holdfast.error.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExampleEncoderTest {
    private static final int EOS = 2;
    private static final EncodingOptions OPTIONS = new EncodingOptions(1024, TooLongRows.CUT, true, 560);

    @TempDir
    Path folder;

    private Tokenizer tokenizer;

    @BeforeEach
    void load() {
        tokenizer = Golden.chatTokenizer(folder);
    }

    @AfterEach
    void close() {
        tokenizer.close();
    }

    @Test
    void theCompletionIsLearntAndClosed() {
        EncodedExample example = encode(new Example.PromptCompletion("How many? ", "It is 42."));
        assertThat(context(example)).isEqualTo("How many? ");
        assertThat(response(example)).isEqualTo("It is 42.<|im_end|>");
        assertThat(example.ids()).startsWith(tokenizer.encode("How many? ", false));
    }

    @Test
    void runningTextIsTokenisedAtOnceWhereNoTokenSpansTheBoundary() {
        EncodedExample example = encode(new Example.PromptCompletion("The quick brown fox", " jumps over"));
        int[] joint = tokenizer.encode("The quick brown fox jumps over", false);
        assertThat(Arrays.copyOf(example.ids(), joint.length)).isEqualTo(joint);
    }

    @Test
    void thePromptKeepsItsIdsWhereATokenWouldSpanTheBoundary() {
        assertThat(tokenizer.encode("he", false)).hasSize(1);
        EncodedExample example = encode(new Example.PromptCompletion("h", "e"));
        assertThat(example.ids()).startsWith(tokenizer.encode("h", false));
        assertThat(context(example)).isEqualTo("h");
        assertThat(response(example)).isEqualTo("e<|im_end|>");
    }

    @Test
    void theEndIsNotAppendedTwiceNorIfUnwanted() {
        assertThat(response(encode(new Example.PromptCompletion("a", "b<|im_end|>"))))
                .isEqualTo("b<|im_end|>");
        EncodingOptions open = new EncodingOptions(1024, TooLongRows.CUT, false, 560);
        assertThat(response(encode(open, new Example.PromptCompletion("a", "b")).orElseThrow()))
                .isEqualTo("b");
    }

    @Test
    void withoutAPromptTheFirstTokenCannotBeLearnt() {
        EncodedExample example = encode(new Example.PromptCompletion("", "b c"));
        assertThat(example.response()[0]).isFalse();
        assertThat(example.responseTokens()).isEqualTo(example.length() - 1);
    }

    @Test
    void theBeginningOfSequenceGoesInFrontAndMakesTheFirstTokenLearnable() {
        reload(Map.of("tokenizer.ggml.add_bos_token", true));
        EncodedExample example = encode(new Example.PromptCompletion("", "b"));
        assertThat(example.ids()[0]).isEqualTo(1);
        assertThat(response(example)).isEqualTo("b<|im_end|>");
        assertThat(response(encode(new Example.Text("b c")))).isEqualTo("b c<|im_end|>");
    }

    @Test
    void ofATextEveryTokenButTheFirstIsLearnt() {
        EncodedExample example = encode(new Example.Text("a b c"));
        assertThat(example.ids()).isEqualTo(append(tokenizer.encode("a b c", false), EOS));
        assertThat(example.responseTokens()).isEqualTo(example.length() - 1);
    }

    @Test
    void instructionsTakeTheAlpacaWordingAsContext() {
        Example.Instruction instruction = new Example.Instruction("Add.", "1 2", "3");
        EncodedExample example = encode(instruction);
        assertThat(context(example)).isEqualTo(instruction.prompt());
        assertThat(response(example)).isEqualTo("3<|im_end|>");
    }

    @Test
    void everyAssistantTurnIsLearntWithItsClosingTokenAndNothingBehindIt() {
        EncodedExample example = encode(new Example.Messages(List.of(
                new Message("user", "a"),
                new Message("assistant", "b b"),
                new Message("user", "c"),
                new Message("assistant", "d"),
                new Message("user", "unanswered"))));
        assertThat(runs(example)).containsExactly("b b<|im_end|>", "d<|im_end|>");
        assertThat(tokenizer.decode(example.ids(), false))
                .isEqualTo("<|im_start|>system\nAnswer in one sentence.<|im_end|>\n"
                        + "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb b<|im_end|>\n<|im_start|>user\nc<|im_end|>\n"
                        + "<|im_start|>assistant\nd<|im_end|>");
    }

    @Test
    void whatIsTrainedIsWhatIsGeneratedFrom() {
        List<Message> messages = List.of(new Message("user", "a"), new Message("assistant", "\n\nb"));
        EncodedExample example = encode(new Example.Messages(messages));
        int[] prompt = tokenizer.encode(tokenizer.chatTemplate().render(messages.subList(0, 1), true), false);
        assertThat(example.ids()).startsWith(prompt);
        assertThat(response(example)).isEqualTo("\n\nb<|im_end|>");
    }

    @Test
    void turnsOfAPromptAreContext() {
        EncodedExample example = encode(new Example.Messages(
                List.of(
                        new Message("user", "a"),
                        new Message("assistant", "b"),
                        new Message("user", "c"),
                        new Message("assistant", "d")),
                3));
        assertThat(runs(example)).containsExactly("d<|im_end|>");
    }

    @Test
    void aTemplateThatDoesNotCloseTurnsGetsTheEndAtTheLastOne() {
        template(
                "{% for m in messages %}[{{ m.role }}]{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}");
        EncodedExample example = encode(new Example.Messages(List.of(
                new Message("user", "a"),
                new Message("assistant", "b"),
                new Message("user", "c"),
                new Message("assistant", "d"))));
        assertThat(runs(example)).containsExactly("b\n", "d\n<|im_end|>");
    }

    @Test
    void whereEarlierTurnsChangeOnlyTheLastIsLearnt() {
        template(
                Golden.read("templates.json").path("templates").path("thoughts").textValue());
        List<Example> rows = List.of(new Example.Messages(List.of(
                new Message("user", "a"),
                new Message("assistant", "<think>\nx\n</think>\n\nb"),
                new Message("user", "c"),
                new Message("assistant", "<think>\ny\n</think>\n\nd"))));
        EncodedExamples encoded = new ExampleEncoder(tokenizer, OPTIONS).encodeAll(Examples.of(rows));
        assertThat(encoded.lastTurnOnly()).isEqualTo(1);
        assertThat(runs(encoded.examples().get(0))).containsExactly("<think>\ny\n</think>\n\nd<|im_end|>");
    }

    @Test
    void aGenerationPromptThatTheAnswerDoesNotRepeatIsLeftOut() {
        template("{% for m in messages %}<{{ m.role }}>{{ m.content }}<|im_end|>{% endfor %}"
                + "{% if add_generation_prompt %}<assistant><think>{% endif %}");
        EncodedExample example =
                encode(new Example.Messages(List.of(new Message("user", "a"), new Message("assistant", "b"))));
        assertThat(runs(example)).containsExactly("b<|im_end|>");
    }

    @Test
    void messagesWithoutATemplateAreRefusedWithTheRow() throws IOException {
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"eos_token\": \"<|im_end|>\"}");
        tokenizer.close();
        tokenizer = Tokenizer.load(folder);
        assertThatThrownBy(() ->
                        encode(new Example.Messages(List.of(new Message("user", "a"), new Message("assistant", "b")))))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageStartingWith("row 0: ")
                .hasMessageContaining("no chat template");
    }

    @Test
    void aConversationThatTheTemplateRefusesNamesItsRow() {
        template(Golden.read("templates.json")
                .path("templates")
                .path("alternating")
                .textValue());
        assertThatThrownBy(() -> encode(
                        new Example.Messages(List.of(new Message("system", "a"), new Message("assistant", "b")))))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageStartingWith("row 0: chat template: Turns must alternate");
    }

    @Test
    void longRowsAreCutOrDroppedAndCounted() {
        List<Example> rows = List.of(
                new Example.PromptCompletion("a", "b"),
                new Example.PromptCompletion("a", "b c d e f g h"),
                new Example.PromptCompletion("a b c d e f g h", "i"));
        EncodedExamples cut = new ExampleEncoder(tokenizer, new EncodingOptions(6, TooLongRows.CUT, true, 560))
                .encodeAll(Examples.of(rows));
        assertThat(cut.examples()).extracting(EncodedExample::row).containsExactly(0L, 1L);
        assertThat(cut.examples().get(1).length()).isEqualTo(6);
        assertThat(List.of(cut.rows(), cut.cut(), cut.droppedAsTooLong(), cut.droppedWithoutResponse()))
                .containsExactly(3L, 1L, 0L, 1L);
        EncodedExamples dropped = new ExampleEncoder(tokenizer, new EncodingOptions(6, TooLongRows.DROP, true, 560))
                .encodeAll(Examples.of(rows));
        assertThat(dropped.examples()).extracting(EncodedExample::row).containsExactly(0L);
        assertThat(List.of(dropped.rows(), dropped.cut(), dropped.droppedAsTooLong()))
                .containsExactly(3L, 0L, 2L);
    }

    @Test
    void dataWithoutAnyResponseTokenNamesItsFirstRow() {
        EncodingOptions options = new EncodingOptions(4, TooLongRows.CUT, true, 560);
        assertThatThrownBy(() -> new ExampleEncoder(tokenizer, options)
                        .encodeAll(Examples.of(List.of(new Example.PromptCompletion("a b c d e f g", "h")))))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageStartingWith("row 0: no response token")
                .hasMessageContaining("max_length 4");
        assertThatThrownBy(() -> new ExampleEncoder(tokenizer, OPTIONS)
                        .encodeAll(Examples.of(List.of(new Example.Messages(List.of(new Message("user", "a")))))))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageStartingWith("row 0: no response token");
        EncodingOptions dropping = new EncodingOptions(4, TooLongRows.DROP, true, 560);
        assertThatThrownBy(() -> new ExampleEncoder(tokenizer, dropping)
                        .encodeAll(Examples.of(List.of(new Example.PromptCompletion("a b c d e f g", "h")))))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no row left");
    }

    @Test
    void emptyAndSingleTokenRowsAreDropped() {
        EncodingOptions open = new EncodingOptions(1024, TooLongRows.CUT, false, 560);
        assertThat(encode(open, new Example.Text("a"))).isEmpty();
        assertThat(encode(open, new Example.Text(""))).isEmpty();
        assertThat(encode(open, new Example.PromptCompletion("", "a"))).isEmpty();
        assertThat(encode(open, new Example.PromptCompletion("a", ""))).isEmpty();
        assertThat(encode(OPTIONS, new Example.Text(""))).isEmpty();
        assertThat(response(encode(new Example.PromptCompletion("a", "")))).isEqualTo("<|im_end|>");
    }

    @Test
    void idsBeyondTheModelsVocabularyAreRefused() {
        EncodingOptions small = new EncodingOptions(1024, TooLongRows.CUT, true, 300);
        assertThatThrownBy(() -> encode(small, new Example.PromptCompletion("the", " quick brown fox")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("below the model's vocabulary of 300");
    }

    @Test
    void manyRowsKeepTheirOrderAndTheFirstFaultyOneIsTold() {
        List<Example> rows = new ArrayList<>();
        for (int index = 0; index < 600; index++) {
            rows.add(new Example.PromptCompletion("p" + index, "c" + index));
        }
        EncodedExamples encoded = new ExampleEncoder(tokenizer, OPTIONS).encodeAll(Examples.of(rows));
        assertThat(encoded.examples()).hasSize(600).allSatisfy(example -> assertThat(response(example))
                .isEqualTo("c" + example.row() + "<|im_end|>"));
        rows.set(300, new Example.Text("\ud83d"));
        rows.set(400, new Example.Text("\ud83d"));
        assertThatThrownBy(() -> new ExampleEncoder(tokenizer, OPTIONS).encodeAll(Examples.of(rows)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageStartingWith("row 300: ");
    }

    @Test
    void appendingAnEndNeedsOne() throws IOException {
        Files.writeString(folder.resolve("tokenizer_config.json"), "{}");
        Files.delete(folder.resolve("generation_config.json"));
        tokenizer.close();
        tokenizer = Tokenizer.load(folder);
        assertThatThrownBy(() -> new ExampleEncoder(tokenizer, OPTIONS))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("append_eos");
    }

    @Test
    void realRowsKeepTheirCompletions() {
        Path file = Golden.igsm();
        EncodedExamples encoded = new ExampleEncoder(tokenizer, new EncodingOptions(4096, TooLongRows.CUT, true, 560))
                .encodeAll(Examples.jsonLines(file));
        assertThat(encoded.examples()).hasSize(40);
        int[] next = {0};
        Examples.jsonLines(file).forEach(row -> {
            Example.PromptCompletion pair = (Example.PromptCompletion) row.example();
            EncodedExample example = encoded.examples().get(next[0]++);
            assertThat(context(example)).isEqualTo(pair.prompt());
            assertThat(response(example)).isEqualTo(pair.completion() + "<|im_end|>");
        });
    }

    private void reload(Map<String, Object> changes) {
        tokenizer.close();
        GgufTokenizer.write(Golden.metadata("byte-level-tokenizer.json", changes), folder);
        tokenizer = Tokenizer.load(folder);
    }

    private void template(String source) {
        tokenizer.close();
        ObjectNode settings = new ObjectMapper().createObjectNode().put("chat_template", source);
        try {
            tokenizer = Golden.tokenizerWith(folder, settings);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private EncodedExample encode(Example example) {
        return encode(OPTIONS, example).orElseThrow();
    }

    private Optional<EncodedExample> encode(EncodingOptions options, Example example) {
        return new ExampleEncoder(tokenizer, options).encode(new Row(0, "row 0", example));
    }

    private String context(EncodedExample example) {
        return tokenizer.decode(select(example, false), false);
    }

    private String response(EncodedExample example) {
        return tokenizer.decode(select(example, true), false);
    }

    private static int[] select(EncodedExample example, boolean response) {
        return IntStream.range(0, example.length())
                .filter(index -> example.response()[index] == response)
                .map(index -> example.ids()[index])
                .toArray();
    }

    /** The texts of the runs of response tokens. */
    private List<String> runs(EncodedExample example) {
        List<String> runs = new ArrayList<>();
        int start = 0;
        for (int index = 1; index <= example.length(); index++) {
            if (index == example.length() || example.response()[index] != example.response()[start]) {
                if (example.response()[start]) {
                    runs.add(tokenizer.decode(Arrays.copyOfRange(example.ids(), start, index), false));
                }
                start = index;
            }
        }
        return runs;
    }

    private static int[] append(int[] ids, int id) {
        int[] longer = Arrays.copyOf(ids, ids.length + 1);
        longer[ids.length] = id;
        return longer;
    }
}
