package dev.holdfast.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.testing.TinyModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BatchGeneratorTest {
    private static final SessionSettings SETTINGS = SessionSettings.defaults().withIntraOpThreads(1);

    /** What the class promises of a logit; the products of one row and of several are summed in different orders. */
    private static final float TOLERANCE = 1e-4f;

    @TempDir
    Path directory;

    private static List<int[]> prompts(int count, int longest) {
        Random random = new Random(20261128);
        List<int[]> prompts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            prompts.add(random.ints(1 + random.nextInt(longest), 3, 96).toArray());
        }
        return prompts;
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "gpt2", "qwen3"})
    void aBatchIsItsPromptsOneByOne(String family) {
        TinyModel tiny = new TinyModel(family, directory);
        for (GenerationOptions options : List.of(GenerationOptions.greedy(24), GenerationOptions.sampling(24, 1, 5))) {
            try (BatchGenerator batch = BatchGenerator.open(tiny.packaged(), SETTINGS);
                    Generator single = Generator.open(tiny.packaged(), SETTINGS)) {
                List<int[]> prompts = prompts(7, batch.contextLength() / 2);
                List<Response> responses = batch.generate(prompts, options, List.of());
                for (int i = 0; i < prompts.size(); i++) {
                    Generation expected = single.complete(TinyModel.text(prompts.get(i)), options, piece -> {});
                    assertThat(responses.get(i).text()).as("prompt %d", i).isEqualTo(expected.text());
                    assertThat(responses.get(i).tokens()).isEqualTo(expected.generatedIds().length);
                }
            }
        }
    }

    /** Rows that leave change nothing for those that stay, whatever the padding on either side. */
    @Test
    void logitsOfABatchAreThoseOfOneSequence() {
        TinyModel tiny = new TinyModel("llama", directory);
        int padding = CachedDecoder.Batch.PADDING;
        int[] tokens = {5, 17, 23, 8, 40, 41};
        try (CachedDecoder decoder = CachedDecoder.open(DeployableFolder.open(tiny.packaged()), SETTINGS);
                CachedDecoder.Batch alone = decoder.start(1);
                CachedDecoder.Batch batch = decoder.start(3)) {
            float[] expected = last(alone.appendAndPredict(tokens), 1, 0);
            batch.append(new int[] {9, 9, 9, 9}, new int[] {padding, padding, 5, 17}, new int[] {padding, 7, 7, 7});
            batch.append(new int[] {9}, new int[] {23}, new int[] {padding});
            batch.keep(new int[] {2, 1});
            batch.append(new int[] {padding}, new int[] {8});
            batch.append(new int[] {padding}, new int[] {40});
            float[] got = last(batch.appendAndPredict(new int[] {7}, new int[] {41}), 2, 1);
            for (int id = 0; id < expected.length; id++) {
                assertThat(Math.abs(got[id] - expected[id]))
                        .as("token %d: expected %s, got %s", id, expected[id], got[id])
                        .isLessThanOrEqualTo(TOLERANCE);
            }
        }
    }

    private static float[] last(HostTensor logits, int rows, int row) {
        int width = (int) logits.shape().dimension(2);
        float[] values = logits.toFloatArray();
        int end = values.length / rows * (row + 1);
        return Arrays.copyOfRange(values, end - width, end);
    }

    @Test
    void aTextEndsAResponseAndIsLeftOut() {
        TinyModel tiny = new TinyModel("llama", directory);
        List<int[]> prompts = List.of(new int[] {5, 17, 23, 8}, new int[] {30, 31});
        try (BatchGenerator generator = BatchGenerator.open(tiny.packaged(), SETTINGS)) {
            List<Response> free = generator.generate(prompts, GenerationOptions.greedy(12), List.of());
            String[] words = free.get(0).text().split(" ");
            String end = " " + words[3];
            String expected = free.get(0).text().substring(0, free.get(0).text().indexOf(end));
            Response ended = generator
                    .generate(prompts, GenerationOptions.greedy(12), List.of(end))
                    .get(0);
            assertThat(ended.text()).isEqualTo(expected);
            assertThat(ended.isCut()).isFalse();
            assertThat(ended.tokens()).isLessThan(12);
        }
    }

    @Test
    void aResponseThatReachesTheLimitIsCut() {
        TinyModel tiny = new TinyModel("llama", directory);
        try (BatchGenerator generator = BatchGenerator.open(tiny.packaged(), SETTINGS)) {
            Response response = generator
                    .generate(List.of(new int[] {5, 17, 23, 8}), GenerationOptions.greedy(3), List.of())
                    .get(0);
            assertThat(response.tokens()).isEqualTo(3);
            assertThat(response.isCut()).isTrue();
            int[] full = new Random(1).ints(generator.contextLength(), 3, 96).toArray();
            assertThatThrownBy(() -> generator.generate(List.of(full), GenerationOptions.greedy(3), List.of()))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("context");
        }
    }
}
