package dev.holdfast.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerTest {
    private static final String TEXT = "naïve 日本語 😀👩‍👩‍👧‍👦 \u0000 end";

    @TempDir
    Path folder;

    @Test
    void anyUnicodeTextSurvivesTheWayThroughTheNativeLibrary() {
        try (Tokenizer tokenizer = Golden.chatTokenizer(folder)) {
            assertThat(tokenizer.decode(tokenizer.encode(TEXT, true), false)).isEqualTo(TEXT);
            assertThat(tokenizer.encode("", true)).isEmpty();
            assertThat(tokenizer.decode(new int[0], false)).isEmpty();
        }
    }

    @Test
    void halfASurrogatePairIsRefused() {
        try (Tokenizer tokenizer = Golden.chatTokenizer(folder)) {
            assertThatThrownBy(() -> tokenizer.encode("ab\ud83d", false))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("at character 2");
        }
    }

    @Test
    void specialTokensAreSkippedOnlyIfAsked() {
        try (Tokenizer tokenizer = Golden.chatTokenizer(folder)) {
            int[] ids = tokenizer.encode("a<|im_end|>b", false);
            assertThat(tokenizer.decode(ids, true)).isEqualTo("ab");
            assertThat(tokenizer.decode(ids, false)).isEqualTo("a<|im_end|>b");
        }
    }

    @Test
    void truncationAndPaddingInTheFileAreSwitchedOff() throws IOException {
        Golden.chatTokenizer(folder).close();
        ObjectNode json = (ObjectNode)
                new ObjectMapper().readTree(folder.resolve("tokenizer.json").toFile());
        json.putObject("truncation")
                .put("direction", "Right")
                .put("max_length", 4)
                .put("strategy", "LongestFirst")
                .put("stride", 0);
        ObjectNode padding = json.putObject("padding");
        padding.putObject("strategy").put("Fixed", 9);
        padding.put("direction", "Right").putNull("pad_to_multiple_of");
        padding.put("pad_id", 0).put("pad_type_id", 0).put("pad_token", "<|endoftext|>");
        new ObjectMapper().writeValue(folder.resolve("tokenizer.json").toFile(), json);
        try (Tokenizer tokenizer = Tokenizer.load(folder)) {
            assertThat(tokenizer.encode("abcxyzqw 1234567", false).length).isGreaterThan(9);
            assertThat(tokenizer.encode("a", false)).hasSize(1);
        }
    }

    @Test
    void specialTokensComeFromSeveralFiles() throws IOException {
        Golden.chatTokenizer(folder).close();
        Files.writeString(
                folder.resolve("tokenizer_config.json"),
                "{\"bos_token\": {\"content\": \"<|im_start|>\"}, \"pad_token\": null}");
        Files.writeString(folder.resolve("special_tokens_map.json"), "{\"eos_token\": \"<|im_end|>\"}");
        Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [0, 7]}");
        Files.writeString(folder.resolve("config.json"), "{\"eos_token_id\": 9, \"pad_token_id\": 5}");
        try (Tokenizer tokenizer = Tokenizer.load(folder)) {
            assertThat(tokenizer.bosId()).hasValue(1);
            assertThat(tokenizer.eosId()).hasValue(2);
            assertThat(tokenizer.stopIds()).containsExactly(0, 2, 7, 9);
            assertThat(tokenizer.padId()).isEqualTo(5);
            assertThat(tokenizer.hasChatTemplate()).isFalse();
            assertThatThrownBy(tokenizer::chatTemplate)
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("no chat template");
        }
    }

    @Test
    void anEndOfSequenceGivenOnlyAsIdsIsTheFirstOfThem() throws IOException {
        Golden.chatTokenizer(folder).close();
        Files.writeString(folder.resolve("tokenizer_config.json"), "{}");
        Files.writeString(folder.resolve("config.json"), "{\"eos_token_id\": [7, 2]}");
        try (Tokenizer tokenizer = Tokenizer.load(folder)) {
            assertThat(tokenizer.eosId()).hasValue(7);
            assertThat(tokenizer.padId()).isEqualTo(0);
        }
    }

    @Test
    void theChatTemplateFileComesBeforeTheSettings() throws IOException {
        Golden.chatTokenizer(folder).close();
        Files.writeString(folder.resolve("chat_template.jinja"), "file");
        try (Tokenizer tokenizer = Tokenizer.load(folder)) {
            assertThat(tokenizer.chatTemplate().render(List.of(), false)).isEqualTo("file");
        }
    }

    @Test
    void ofSeveralNamedTemplatesTheDefaultIsTaken() throws IOException {
        ObjectNode settings = (ObjectNode)
                new ObjectMapper()
                        .readTree(
                                "{\"chat_template\": [{\"name\": \"tool_use\", \"template\": \"t\"}, {\"name\": \"default\", \"template\": \"d\"}]}");
        try (Tokenizer tokenizer = Golden.tokenizerWith(folder, settings)) {
            assertThat(tokenizer.chatTemplate().render(List.of(), false)).isEqualTo("d");
        }
    }

    @Test
    void theVocabularyReachesToTheHighestAddedToken() throws IOException {
        Golden.chatTokenizer(folder).close();
        ObjectNode json = (ObjectNode)
                new ObjectMapper().readTree(folder.resolve("tokenizer.json").toFile());
        json.withArray("added_tokens")
                .addObject()
                .put("id", 700)
                .put("content", "<late>")
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", false)
                .put("special", true);
        new ObjectMapper().writeValue(folder.resolve("tokenizer.json").toFile(), json);
        try (Tokenizer tokenizer = Tokenizer.load(folder)) {
            assertThat(tokenizer.vocabularySize()).isEqualTo(701);
        }
    }

    @Test
    void missingAndBrokenFilesAreNamed() throws IOException {
        assertThatThrownBy(() -> Tokenizer.load(folder))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("tokenizer.json: no such file");
        for (String broken : List.of(
                "",
                "{",
                "[]",
                "{}",
                "{\"model\": {\"vocab\": {\"a\": \"x\"}}}",
                "{\"model\": {\"vocab\": {\"a\": 0}}}",
                "{\"version\":\"1.0\",\"added_tokens\":[],\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a b\"]}}")) {
            Files.writeString(folder.resolve("tokenizer.json"), broken);
            assertThatThrownBy(() -> Tokenizer.load(folder))
                    .as(broken)
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessageStartingWith(folder.resolve("tokenizer.json").toString());
        }
    }

    @Test
    void brokenSettingsAreNamedToo() throws IOException {
        Golden.chatTokenizer(folder).close();
        Files.writeString(folder.resolve("special_tokens_map.json"), "{\"eos_token\": ");
        assertThatThrownBy(() -> Tokenizer.load(folder))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("special_tokens_map.json: not JSON");
    }

    @Test
    void damagedTokenizerFilesNeverFailOtherwise() throws IOException {
        Golden.chatTokenizer(folder).close();
        byte[] whole = Files.readAllBytes(folder.resolve("tokenizer.json"));
        Random random = new Random(7);
        for (int round = 0; round < 60; round++) {
            byte[] damaged = round % 3 == 0 ? Arrays.copyOf(whole, random.nextInt(whole.length)) : whole.clone();
            for (int flips = 0; flips < round % 3 * 4 && damaged.length > 0; flips++) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(128);
            }
            Files.write(folder.resolve("tokenizer.json"), damaged);
            try {
                Tokenizer.load(folder).close();
            } catch (MalformedFileException e) {
                assertThat(e).hasMessageStartingWith(folder.toString());
            }
        }
    }

    @Test
    void aClosedTokenizerSaysSo() {
        Tokenizer tokenizer = Golden.chatTokenizer(folder);
        tokenizer.close();
        tokenizer.close();
        assertThatThrownBy(() -> tokenizer.encode("a", false))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }

    @Test
    void severalThreadsMayEncodeAtOnce() {
        try (Tokenizer tokenizer = Golden.chatTokenizer(folder)) {
            int[] expected = tokenizer.encode(TEXT, false);
            assertThat(IntStream.range(0, 200)
                            .parallel()
                            .allMatch(index -> Arrays.equals(expected, tokenizer.encode(TEXT, false))))
                    .isTrue();
        }
    }

    @Test
    void streamedTextIsTheDecodedTextAndNeverHoldsHalfACharacter() {
        try (Tokenizer tokenizer = Golden.chatTokenizer(folder)) {
            assertStreams(tokenizer, TEXT + "<|im_end|>" + TEXT);
        }
    }

    @Test
    void streamedSentencePiecesKeepTheirSpaces() {
        GgufTokenizer.write(Golden.metadata("sentencepiece-tokenizer.json", Map.of()), folder);
        try (Tokenizer tokenizer = Tokenizer.load(folder)) {
            assertStreams(tokenizer, "The number of 😀 each 日本 one equals  12 more.");
        }
    }

    private static void assertStreams(Tokenizer tokenizer, String text) {
        StreamingDecoder decoder = tokenizer.streamingDecoder(true);
        int[] ids = tokenizer.encode(text, false);
        StringBuilder streamed = new StringBuilder();
        for (int id : ids) {
            String piece = decoder.append(id);
            assertThat(piece).doesNotContain("\uFFFD");
            streamed.append(piece);
        }
        assertThat(streamed.append(decoder.finish()).toString()).isEqualTo(tokenizer.decode(ids, true));
    }

    @Test
    void anUnfinishedCharacterAppearsAtTheEndOnly() {
        try (Tokenizer tokenizer = Golden.chatTokenizer(folder)) {
            StreamingDecoder decoder = tokenizer.streamingDecoder(true);
            int[] ids = tokenizer.encode("😀", false);
            assertThat(ids).hasSizeGreaterThan(1);
            assertThat(decoder.append(ids[0])).isEmpty();
            assertThat(decoder.finish()).contains("\uFFFD");
            assertThat(decoder.finish()).isEmpty();
        }
    }
}
