package dev.holdfast.artifact;

import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.files.Sha256Sums;
import dev.holdfast.onnx.ModelExtents;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A folder that plain ONNX Runtime and onnxruntime-genai load: a decoder with a cache of keys and values, its weights, its tokenizer.
 *
 * @param path the folder
 * @param config what {@code genai_config.json} says
 */
public record DeployableFolder(Path path, GenaiConfig config) {
    /** The decoder's graph. */
    public static final String MODEL = "model.onnx";
    /** The decoder's weights, external data of the graph. */
    public static final String WEIGHTS = "model.onnx.data";
    /** Adapters for the decoder's optional inputs, in a folder whose decoder is a base model. */
    public static final String ADAPTER = "adapter.onnx_adapter";
    /** The folder of the same adapters for PEFT. */
    public static final String PEFT = "peft";
    /** The description that onnxruntime-genai reads. */
    public static final String GENAI_CONFIG = "genai_config.json";
    /** The model card. */
    public static final String README = "README.md";

    /** Whether a folder claims to be deployable. */
    public static boolean isDeployable(Path path) {
        return Files.isRegularFile(path.resolve(GENAI_CONFIG));
    }

    /**
     * Opens a folder and makes sure that model, weights, config.json and tokenizer are as they were written, reading each once. What people edit is
     * left out: settings of generation, the chat template, the card.
     *
     * @throws InvalidInputException if there is no folder, or one that has yet to be packaged
     * @throws FileAccessException if the description cannot be read
     * @throws MalformedFileException if it lacks what a decoder needs, or a file is truncated or corrupt
     */
    public static DeployableFolder open(Path path) {
        if (!Files.isDirectory(path)) {
            String what = Files.exists(path) ? ModelFolder.fileOfModel(path) + ", then package it" : "no folder";
            throw new InvalidInputException(path + ": expected a packaged model, got " + what);
        }
        if (!isDeployable(path)) {
            new StagesFolder(path)
                    .advice()
                    .filter(advice -> !ModelFolder.isModel(path))
                    .ifPresent(advice -> {
                        throw new InvalidInputException(path + ": expected a packaged model, got " + advice);
                    });
            String source = ModelFolder.isModel(path) ? path.toString() : "RUN";
            throw new InvalidInputException(path + ": expected a packaged model, got a folder without " + GENAI_CONFIG
                    + "; package it first: holdfast package --run " + source + " --out DIR");
        }
        Path file = path.resolve(GENAI_CONFIG);
        GenaiConfig config = checked(file, JsonFiles.read(file, GenaiConfig.class));
        DeployableFolder folder = new DeployableFolder(path, config);
        // Sizes first: they say more of a truncated copy than a digest does, and at once.
        if (Files.isRegularFile(folder.model())) {
            ModelExtents.check(folder.model());
        }
        Sha256Sums.verify(path, "copy or package it again");
        return folder;
    }

    private static GenaiConfig checked(Path file, GenaiConfig config) {
        GenaiConfig.Model model = config.model();
        if (model == null
                || model.eosTokenId() == null
                || model.eosTokenId().contains(null)
                || !isWhole(model.decoder())) {
            throw MalformedFileException.of(
                    file,
                    "expected model.eos_token_id, and model.decoder with filename and with the names of input_ids, "
                            + "attention_mask, position_ids, logits, past and present keys and values");
        }
        requirePositive(file, "context_length", model.contextLength());
        requirePositive(file, "vocab_size", model.vocabSize());
        requirePositive(file, "decoder.num_hidden_layers", model.decoder().numHiddenLayers());
        requirePositive(file, "decoder.num_key_value_heads", model.decoder().numKeyValueHeads());
        requirePositive(file, "decoder.head_size", model.decoder().headSize());
        return config;
    }

    private static boolean isWhole(GenaiConfig.Decoder decoder) {
        if (decoder == null || decoder.inputs() == null || decoder.outputs() == null) {
            return false;
        }
        GenaiConfig.Inputs inputs = decoder.inputs();
        GenaiConfig.Outputs outputs = decoder.outputs();
        return Stream.of(
                        decoder.filename(),
                        inputs.inputIds(),
                        inputs.attentionMask(),
                        inputs.positionIds(),
                        inputs.pastKeyNames(),
                        inputs.pastValueNames(),
                        outputs.logits(),
                        outputs.presentKeyNames(),
                        outputs.presentValueNames())
                .noneMatch(Objects::isNull);
    }

    private static void requirePositive(Path file, String key, int value) {
        if (value <= 0) {
            throw MalformedFileException.of(file, "model." + key + ": expected a positive integer, got " + value);
        }
    }

    /** The adapter that goes with the decoder, if it is a base model. */
    public Optional<Path> adapter() {
        return Optional.of(path.resolve(ADAPTER)).filter(Files::isRegularFile);
    }

    /** The decoder's graph. */
    public Path model() {
        return path.resolve(config.model().decoder().filename());
    }
}
