package dev.holdfast.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.artifact.GraphNames;
import dev.holdfast.data.Message;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.HoldfastException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.runtime.InferenceSession;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.testing.TinyModel;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GeneratorTest {
    private static final SessionSettings SETTINGS = SessionSettings.defaults().withIntraOpThreads(1);
    private static final Consumer<String> NOBODY = piece -> {};
    private static final int[] PROMPT = {5, 17, 23, 8};

    @TempDir
    static Path directory;

    private static TinyModel tiny;

    @BeforeAll
    static void makeModel() {
        tiny = new TinyModel("llama", directory);
    }

    private static Generation generate(Path model, GenerationOptions options) {
        try (Generator generator = Generator.open(model, SETTINGS)) {
            return generator.complete(TinyModel.text(PROMPT), options, NOBODY);
        }
    }

    @Test
    void greedyTokensAreTheLikeliestOfTheForwardGraphAtEachStep() {
        Generation generation = generate(tiny.packaged(), GenerationOptions.greedy(20));
        int[] ids = PROMPT;
        try (InferenceSession forward =
                InferenceSession.open(tiny.artifact().resolve(ArtifactDirectory.FORWARD_MODEL), SETTINGS)) {
            for (int step = 0; step < generation.generatedIds().length; step++) {
                ids = Arrays.copyOf(ids, ids.length + 1);
                ids[ids.length - 1] = likeliest(forward, Arrays.copyOf(ids, ids.length - 1));
            }
        }
        assertThat(generation.promptIds()).isEqualTo(PROMPT);
        assertThat(generation.generatedIds()).isEqualTo(Arrays.copyOfRange(ids, PROMPT.length, ids.length));
        assertThat(generation.tokensPerSecond()).isPositive();
    }

    private static int likeliest(InferenceSession forward, int[] ids) {
        HostTensor input = HostTensor.ofLongs(Arrays.stream(ids).asLongStream().toArray(), 1, ids.length);
        float[] logits = forward.run(Map.of(GraphNames.INPUT_IDS, input), List.of(GraphNames.LOGITS))
                .get(GraphNames.LOGITS)
                .toFloatArray();
        int width = logits.length / ids.length;
        return TokenSampler.likeliest(Arrays.copyOfRange(logits, logits.length - width, logits.length));
    }

    @Test
    void aSeedDecidesWhatIsDrawn() {
        GenerationOptions options = GenerationOptions.sampling(20, 1.0, 7);
        int[] first = generate(tiny.packaged(), options).generatedIds();
        assertThat(generate(tiny.packaged(), options).generatedIds()).isEqualTo(first);
        assertThat(generate(tiny.packaged(), GenerationOptions.sampling(20, 1.0, 8))
                        .generatedIds())
                .isNotEqualTo(first);
    }

    @Test
    void drawingFromTheLikeliestTokenAloneIsGreedy() {
        int[] greedy = generate(tiny.packaged(), GenerationOptions.greedy(10)).generatedIds();
        GenerationOptions sampling = GenerationOptions.sampling(10, 1.0, 3);
        assertThat(generate(tiny.packaged(), sampling.withTopK(1)).generatedIds())
                .isEqualTo(greedy);
        assertThat(generate(tiny.packaged(), sampling.withTopP(1e-9)).generatedIds())
                .isEqualTo(greedy);
    }

    @Test
    void everyIdOfTheListEndsAGenerationAndIsKept() throws IOException {
        int[] free = generate(tiny.packaged(), GenerationOptions.greedy(10)).generatedIds();
        int stop = free[free.length - 1];
        Path model = copyOfPackaged("stops");
        changeModel(model, config -> config.putArray("eos_token_id").add(2).add(stop));
        Generation generation = generate(model, GenerationOptions.greedy(10));
        int end = 0;
        while (free[end] != stop) {
            end++;
        }
        assertThat(generation.generatedIds()).isEqualTo(Arrays.copyOf(free, end + 1));
        assertThat(generation.text()).isEqualTo(TinyModel.text(Arrays.copyOf(free, end)));
    }

    @Test
    void piecesAreTheText() {
        StringBuilder pieces = new StringBuilder();
        try (Generator generator = Generator.open(tiny.packaged(), SETTINGS)) {
            Generation generation =
                    generator.complete(TinyModel.text(PROMPT), GenerationOptions.greedy(5), pieces::append);
            assertThat(generation.text())
                    .isEqualTo(TinyModel.text(generation.generatedIds()))
                    .isEqualTo(pieces.toString());
        }
    }

    @Test
    void aConversationIsPutIntoWordsByTheTemplate() {
        try (Generator generator = Generator.open(tiny.packaged(), SETTINGS)) {
            Generation generation =
                    generator.chat(List.of(new Message("user", "w10 w11")), GenerationOptions.greedy(1), NOBODY);
            assertThat(generation.promptIds()).containsExactly(3, 10, 11, 2, 4);
            assertThatThrownBy(() -> generator.chat(List.of(), GenerationOptions.greedy(1), NOBODY))
                    .isInstanceOf(InvalidInputException.class);
        }
    }

    @Test
    void withoutATemplateThereIsNoConversation() throws IOException {
        Path model = copyOfPackaged("plain");
        Files.writeString(model.resolve("tokenizer_config.json"), "{\"eos_token\": \"</s>\"}");
        try (Generator generator = Generator.open(model, SETTINGS)) {
            List<Message> messages = List.of(new Message("user", "w10"));
            assertThatThrownBy(() -> generator.chat(messages, GenerationOptions.greedy(1), NOBODY))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("no chat template");
        }
    }

    @Test
    void theContextIsFilledAndNotExceeded() {
        try (Generator generator = Generator.open(tiny.packaged(), SETTINGS)) {
            int context = generator.contextLength();
            Generation generation =
                    generator.complete(words(context - 3), GenerationOptions.sampling(50, 1, 1), NOBODY);
            assertThat(generation.generatedIds()).hasSizeLessThanOrEqualTo(3);
            assertThat(generator
                            .complete(words(context - 1), GenerationOptions.greedy(50), NOBODY)
                            .generatedIds())
                    .hasSize(1);
            assertThatThrownBy(() -> generator.complete(words(context), GenerationOptions.greedy(1), NOBODY))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("context");
        }
    }

    private static String words(int count) {
        int[] ids = new int[count];
        Arrays.setAll(ids, i -> 3 + i % 90);
        return TinyModel.text(ids);
    }

    @Test
    void anEmptyPromptIsRefused() {
        try (Generator generator = Generator.open(tiny.packaged(), SETTINGS)) {
            assertThatThrownBy(() -> generator.complete("", GenerationOptions.greedy(1), NOBODY))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("prompt: expected a text");
        }
    }

    @Test
    void foldersThatAreNotPackagedSayWhatToDo() throws IOException {
        assertThatThrownBy(() -> Generator.open(tiny.artifact(), SETTINGS))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("holdfast package --run " + tiny.artifact());
        assertThatThrownBy(() -> Generator.open(directory.resolve("missing"), SETTINGS))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no folder");
        Path headless = copyOfPackaged("headless");
        Files.delete(headless.resolve(DeployableFolder.MODEL));
        assertThatThrownBy(() -> Generator.open(headless, SETTINGS)).isInstanceOf(FileAccessException.class);
        Path broken = copyOfPackaged("broken");
        Files.writeString(broken.resolve(DeployableFolder.GENAI_CONFIG), "{\"model\": {\"type\": \"llama\"}}");
        assertThatThrownBy(() -> Generator.open(broken, SETTINGS)).isInstanceOf(MalformedFileException.class);
    }

    @Test
    void aDamagedDescriptionIsReadOrRefusedButNeverCrashes() throws IOException {
        Path folder = Files.createDirectories(directory.resolve("damaged"));
        byte[] whole = Files.readAllBytes(tiny.packaged().resolve(DeployableFolder.GENAI_CONFIG));
        Random random = new Random(20261122);
        for (int round = 0; round < 300; round++) {
            byte[] damaged = Arrays.copyOf(whole, round % 3 == 0 ? random.nextInt(whole.length) : whole.length);
            for (int hit = 0; damaged.length > 0 && hit < 1 + round % 4; hit++) {
                damaged[random.nextInt(damaged.length)] = (byte) "0{}[]\",:nul9".charAt(random.nextInt(12));
            }
            Files.write(folder.resolve(DeployableFolder.GENAI_CONFIG), damaged);
            try {
                assertThat(DeployableFolder.open(folder).config().model()).isNotNull();
            } catch (HoldfastException expected) {
                assertThat(expected).hasMessageContaining(DeployableFolder.GENAI_CONFIG);
            }
        }
    }

    private static Path copyOfPackaged(String name) throws IOException {
        Path copy = Files.createDirectories(directory.resolve(name));
        try (var files = Files.list(tiny.packaged())) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }
        return copy;
    }

    private static void changeModel(Path folder, Consumer<ObjectNode> change) throws IOException {
        ObjectMapper json = new ObjectMapper();
        File file = folder.resolve(DeployableFolder.GENAI_CONFIG).toFile();
        ObjectNode config = (ObjectNode) json.readTree(file);
        change.accept((ObjectNode) config.get("model"));
        json.writeValue(file, config);
    }
}
