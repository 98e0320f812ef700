package dev.holdfast.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.UnsupportedModelException;
import dev.holdfast.testing.RealModel;
import dev.holdfast.weights.GgufFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GgufTokenizerTest {
    private static final String BYTE_LEVEL = "byte-level-tokenizer.json";
    private static final String SENTENCE_PIECE = "sentencepiece-tokenizer.json";

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"default", "gpt-2", "llama-bpe", "qwen2", "smollm", "tekken"})
    void byteLevelTokenizersCutAndMergeAsAnIndependentImplementation(String pre) {
        JsonNode golden = Golden.read(BYTE_LEVEL);
        GgufTokenizer.write(Golden.metadata(BYTE_LEVEL, Map.of("tokenizer.ggml.pre", pre)), folder);
        try (Tokenizer tokenizer = Tokenizer.load(folder)) {
            for (int index = 0; index < golden.path("texts").size(); index++) {
                String text = golden.path("texts").get(index).textValue();
                assertThat(tokenizer.encode(text, false))
                        .as(pre + ": " + text)
                        .isEqualTo(Golden.ints(golden.path("ids").path(pre).get(index)));
                assertThat(tokenizer.decode(tokenizer.encode(text, false), false))
                        .isEqualTo(text);
            }
        }
    }

    @Test
    void sentencePieceTokenizersEncodeAsSentencePieceItself() {
        GgufTokenizer.write(Golden.metadata(SENTENCE_PIECE, Map.of()), folder);
        try (Tokenizer tokenizer = Tokenizer.load(folder)) {
            for (JsonNode row : Golden.read(SENTENCE_PIECE).path("texts")) {
                String text = row.path("text").textValue();
                assertThat(tokenizer.encode(text, false)).as(text).isEqualTo(Golden.ints(row.path("ids")));
                assertThat(tokenizer.decode(tokenizer.encode(text, false), true))
                        .isEqualTo(text);
            }
            assertThat(tokenizer.leadingIds()).containsExactly(1);
            assertThat(tokenizer.eosId()).hasValue(2);
        }
    }

    @Test
    void theRealModelsTokenizerGivesTheIdsOfAnIndependentImplementation() {
        Path file = RealModel.require();
        try (GgufFile gguf = GgufFile.open(file)) {
            GgufTokenizer.write(gguf.metadata(), folder);
        }
        try (Tokenizer tokenizer = Tokenizer.load(folder)) {
            for (JsonNode row : Golden.read("smollm2-tokens.json").path("texts")) {
                String text = row.path("text").textValue();
                assertThat(tokenizer.encode(text, true)).as(text).isEqualTo(Golden.ints(row.path("ids")));
                assertThat(tokenizer.decode(tokenizer.encode(text, false), false))
                        .isEqualTo(text);
            }
            assertThat(tokenizer.vocabularySize()).isEqualTo(49152);
            assertThat(tokenizer.stopIds()).containsExactly(2);
            assertThat(tokenizer.chatTemplate().render(List.of(new Message("user", "Hi")), true))
                    .isEqualTo("<|im_start|>system\n"
                            + "You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
                            + "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
        }
    }

    @Test
    void theBeginningOfSequenceIsAddedWhereTheFileAsksForIt() {
        assertThat(leadingIds(Map.of("tokenizer.ggml.pre", "smollm"))).isEmpty();
        assertThat(leadingIds(Map.of("tokenizer.ggml.pre", "smollm", "tokenizer.ggml.add_bos_token", true)))
                .containsExactly(1);
        assertThat(leadingIds(Map.of("tokenizer.ggml.pre", "llama-bpe"))).isEmpty();
        Map<String, Object> silent = Golden.metadata(BYTE_LEVEL, Map.of("tokenizer.ggml.pre", "llama-bpe"));
        silent.remove("tokenizer.ggml.add_bos_token");
        assertThat(leadingIds(silent)).containsExactly(1);
    }

    private int[] leadingIds(Map<String, Object> changes) {
        GgufTokenizer.write(changes.size() > 5 ? changes : Golden.metadata(BYTE_LEVEL, changes), folder);
        try (Tokenizer tokenizer = Tokenizer.load(folder)) {
            return tokenizer.leadingIds();
        }
    }

    @Test
    void userDefinedTokensAreFoundInTextsButAreNotSpecial() {
        GgufTokenizer.write(Golden.metadata(BYTE_LEVEL, Map.of("tokenizer.ggml.pre", "smollm")), folder);
        try (Tokenizer tokenizer = Tokenizer.load(folder)) {
            int id = tokenizer.vocabularySize() - 1;
            assertThat(tokenizer.encode("<user_defined>", false)).containsExactly(id);
            assertThat(tokenizer.isSpecial(id)).isFalse();
            assertThat(tokenizer.isSpecial(2)).isTrue();
            assertThat(tokenizer.decode(new int[] {2, id}, true)).isEqualTo("<user_defined>");
        }
    }

    @Test
    void theTokenThatEndsATurnAlsoEndsGenerations() {
        GgufTokenizer.write(Golden.metadata(BYTE_LEVEL, Map.of("tokenizer.ggml.eot_token_id", 0L)), folder);
        try (Tokenizer tokenizer = Tokenizer.load(folder)) {
            assertThat(tokenizer.eosId()).hasValue(2);
            assertThat(tokenizer.stopIds()).containsExactly(0, 2);
        }
    }

    @Test
    void unknownKindsAreRefusedWithTheListOfKnownOnes() {
        assertThatThrownBy(() -> write(Map.of("tokenizer.ggml.pre", "viking")))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("llama-bpe")
                .hasMessageContaining("smollm")
                .hasMessageContaining("got viking");
        assertThatThrownBy(() -> write(Map.of("tokenizer.ggml.model", "bert")))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("expected gpt2 or llama, got bert");
    }

    @Test
    void contradictionsAreNamedByTheirKey() {
        assertRefused(Map.of("tokenizer.ggml.tokens", List.of()), "tokenizer.ggml.tokens");
        assertRefused(Map.of("tokenizer.ggml.tokens", List.of("a", 1)), "tokenizer.ggml.tokens[1]");
        assertRefused(Map.of("tokenizer.ggml.tokens", 3L), "expected a list of texts, got Long");
        assertRefused(Map.of("tokenizer.ggml.token_type", List.of(1L)), "tokenizer.ggml.token_type: expected 560");
        assertRefused(Map.of("tokenizer.ggml.merges", List.of("ab")), "tokenizer.ggml.merges[0]");
        assertRefused(
                Map.of("tokenizer.ggml.eos_token_id", 560L),
                "tokenizer.ggml.eos_token_id: expected a token id below 560, got 560");
        assertRefused(
                Map.of("tokenizer.ggml.model", "llama"),
                "tokenizer.ggml.scores: expected a list of numbers, got nothing");
        assertRefused(
                Map.of("tokenizer.ggml.model", "llama", "tokenizer.ggml.scores", List.of(1.0)),
                "tokenizer.ggml.scores: expected 560");
        assertThatThrownBy(() -> GgufTokenizer.write(new HashMap<>(), folder))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("tokenizer.ggml.tokens: expected a list of texts, got nothing");
    }

    @Test
    void scoredMergesPreferHighScores() {
        List<Object> tokens = new ArrayList<>(List.of("<unk>", "a", "b", "c", "ab", "bc", "abc"));
        List<Object> scores = List.of(0.0, -9.0, -9.0, -9.0, -2.0, -1.0, -3.0);
        Map<String, Object> metadata = Map.of(
                "tokenizer.ggml.model",
                "llama",
                "tokenizer.ggml.tokens",
                tokens,
                "tokenizer.ggml.scores",
                scores,
                "tokenizer.ggml.token_type",
                List.of(2, 1, 1, 1, 1, 1, 1),
                "tokenizer.ggml.add_space_prefix",
                false,
                "tokenizer.ggml.unknown_token_id",
                0L);
        GgufTokenizer.write(metadata, folder);
        try (Tokenizer tokenizer = Tokenizer.load(folder)) {
            assertThat(tokenizer.encode("ab", false)).containsExactly(4);
            assertThat(tokenizer.encode("abc", false)).containsExactly(6);
            assertThat(tokenizer.encode("abcb", false)).containsExactly(6, 2);
            assertThat(tokenizer.encode("x", false)).containsExactly(0);
        }
    }

    private void assertRefused(Map<String, Object> changes, String message) {
        assertThatThrownBy(() -> write(changes))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(message);
    }

    private void write(Map<String, Object> changes) {
        GgufTokenizer.write(Golden.metadata(BYTE_LEVEL, changes), folder);
    }
}
