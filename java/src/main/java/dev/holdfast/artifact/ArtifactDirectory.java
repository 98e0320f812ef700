package dev.holdfast.artifact;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.files.FileDigest;
import dev.holdfast.tensor.Shape;
import dev.holdfast.weights.LoraConfig;
import dev.holdfast.weights.OrtCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A directory that training starts from, with its manifest.
 *
 * <p>Thread safety: immutable.
 */
public final class ArtifactDirectory {
    /** The manifest. */
    public static final String MANIFEST = "manifest.json";
    /** The weights that are trained, an ONNX Runtime training checkpoint. */
    public static final String CHECKPOINT = "checkpoint";
    /** The training graph of a form. */
    public static final String TRAINING_MODEL = "training_model.onnx";
    /** The evaluation graph of a form. */
    public static final String EVAL_MODEL = "eval_model.onnx";
    /** The optimizer graph. */
    public static final String OPTIMIZER_MODEL = "optimizer_model.onnx";
    /** Ids in, hidden states and logits out; its weights are external data inside the checkpoint. */
    public static final String FORWARD_MODEL = "forward_model.onnx";
    /** Ids and response positions in, hidden states at those positions out; its weights are external data inside the checkpoint. */
    public static final String HIDDEN_MODEL = "hidden_model.onnx";
    /** Hidden states and heads of three models in, the loss's statistics out; it has no weights. */
    public static final String DRIFT_MODEL = "drift_model.onnx";
    /** The Hugging Face configuration of the model. */
    public static final String CONFIG = "config.json";

    static final String HINT = "export it again or copy it whole";

    /** A parameter as the checkpoint holds it. */
    private record Held(Shape shape, boolean trainable) {}

    private final Path path;
    private final Manifest manifest;

    private ArtifactDirectory(Path path, Manifest manifest) {
        this.path = path;
        this.manifest = manifest;
    }

    /** Whether a directory claims to be an artifact. */
    public static boolean isArtifact(Path path) {
        return Files.isRegularFile(path.resolve(MANIFEST));
    }

    /**
     * Opens an artifact and checks that its files are those that the manifest describes, digests included.
     *
     * @throws InvalidInputException if the folder is no artifact
     * @throws FileAccessException if there is no folder or a file is missing
     * @throws MalformedFileException if the manifest is malformed or of a later version, or a file is truncated or corrupt
     */
    public static ArtifactDirectory open(Path path) {
        if (Files.isRegularFile(path)) {
            throw new InvalidInputException(path + ": expected an artifact, got " + ModelFolder.fileOfModel(path));
        }
        if (Files.isDirectory(path) && !isArtifact(path)) {
            throw new InvalidInputException(path + ": expected an artifact, got a folder without " + MANIFEST
                    + "; make one: holdfast export --model MODEL --out DIR");
        }
        Manifest manifest = readManifest(path);
        manifest.files().forEach((name, expected) -> expected.requireOf(path.resolve(name), HINT));
        verifyModel(path, manifest);
        verifyParameters(path, manifest);
        return new ArtifactDirectory(path, manifest);
    }

    /** Opens an artifact whose files were written a moment ago, without reading them all again. */
    public static ArtifactDirectory trusted(Path path) {
        return new ArtifactDirectory(path, readManifest(path));
    }

    static Manifest readManifest(Path directory) {
        Path file = directory.resolve(MANIFEST);
        ManifestDigest.verify(file);
        Manifest manifest = JsonFiles.read(file, Manifest.class);
        if (!Manifest.FORMAT.equals(manifest.format())
                || manifest.model() == null
                || manifest.files() == null
                || manifest.files().containsValue(null)
                || manifest.parameters() == null) {
            throw MalformedFileException.of(
                    file, "expected a manifest of format " + Manifest.FORMAT + ", got " + manifest.format());
        }
        if (manifest.formatVersion() > Manifest.VERSION) {
            throw MalformedFileException.of(
                    file,
                    "expected format version " + Manifest.VERSION + " or older, got " + manifest.formatVersion()
                            + "; use a newer Holdfast");
        }
        return manifest;
    }

    /** What the manifest says of the model must be what its config.json says; older manifests have no digest of their own. */
    private static void verifyModel(Path directory, Manifest manifest) {
        Path file = directory.resolve(CONFIG);
        if (!Files.exists(file)) {
            return;
        }
        JsonNode config = JsonFiles.read(file, JsonNode.class);
        Manifest.Model model = manifest.model();
        requireOneOf(directory, "vocabulary_size", model.vocabularySize(), config, "vocab_size");
        requireOneOf(directory, "hidden_size", model.hiddenSize(), config, "hidden_size", "n_embd");
        requireOneOf(directory, "layer_count", model.layerCount(), config, "num_hidden_layers", "n_layer");
        requireOneOf(
                directory,
                "maximum_positions",
                model.maximumPositions(),
                config,
                "max_position_embeddings",
                "n_positions",
                "sliding_window");
    }

    /** Where the configuration leaves them all to the family's defaults, anything goes. */
    private static void requireOneOf(Path directory, String what, int got, JsonNode config, String... keys) {
        List<Integer> expected = Stream.of(keys)
                .filter(key -> config.path(key).isInt())
                .map(key -> config.path(key).intValue())
                .toList();
        if (!expected.isEmpty() && !expected.contains(got)) {
            throw MalformedFileException.of(
                    directory.resolve(MANIFEST),
                    "corrupt: expected model." + what + " " + expected.get(0) + " as in " + CONFIG + ", got " + got
                            + "; " + HINT);
        }
    }

    /** What the manifest says of the parameters must be what the checkpoint holds; older manifests have no digest of their own. */
    private static void verifyParameters(Path directory, Manifest manifest) {
        OrtCheckpoint checkpoint = BaseWeights.readOver(directory);
        Map<String, Held> expected = new TreeMap<>();
        checkpoint.trainable().forEach(tensor -> expected.put(tensor.name(), new Held(tensor.shape(), true)));
        checkpoint.frozen().forEach(tensor -> expected.put(tensor.name(), new Held(tensor.shape(), false)));
        Map<String, Held> got = new TreeMap<>();
        manifest.parameters()
                .forEach(parameter ->
                        got.put(parameter.name(), new Held(parameter.concreteShape(), parameter.trainable())));
        if (!got.equals(expected)) {
            expected.entrySet().removeAll(got.entrySet());
            throw MalformedFileException.of(
                    directory.resolve(MANIFEST),
                    "corrupt: expected the parameters of the checkpoint, got others than " + expected
                            + "; export it again");
        }
    }

    /**
     * Writes the manifest of a directory whose files are all in place, with their sizes and digests.
     *
     * @param known digests of files by name that need not be read for them
     * @throws FileAccessException if a file cannot be read or the manifest written
     */
    public static void writeManifest(
            Path directory,
            Manifest.Model model,
            Manifest.Source source,
            List<Manifest.Parameter> parameters,
            Map<String, FileDigest> known,
            String version) {
        Map<String, FileDigest> files = new TreeMap<>();
        Path file = directory.resolve(MANIFEST);
        try (Stream<Path> tree = Files.walk(directory)) {
            for (Path entry : tree.filter(Files::isRegularFile).toList()) {
                String name = directory.relativize(entry).toString().replace('\\', '/');
                files.put(name, known.containsKey(name) ? known.get(name) : FileDigest.of(entry));
            }
            Manifest manifest =
                    new Manifest(Manifest.FORMAT, Manifest.VERSION, version, model, source, parameters, files, null);
            JsonFiles.write(file, manifest.withDigest(ManifestDigest.of(manifest)));
        } catch (IOException e) {
            throw FileAccessException.writing(file, e);
        }
    }

    /** The directory. */
    public Path path() {
        return path;
    }

    /** What the directory says of itself. */
    public Manifest manifest() {
        return manifest;
    }

    /** The digest of the whole artifact: that of its manifest, which holds the digests of all files. */
    public String digest() {
        return FileDigest.of(path.resolve(MANIFEST)).sha256();
    }

    /** The weights that are trained. */
    public Path checkpoint() {
        return path.resolve(CHECKPOINT);
    }

    /** The low-rank adapters that are trained; none where all weights are. */
    public Optional<LoraConfig> lora() {
        return Optional.ofNullable(manifest.model().lora());
    }

    /** Whether its training models leave out some of what goes into the adapters, by {@link GraphNames#DROPOUT_KEY}. */
    public boolean hasDropout() {
        return lora().map(adapters -> adapters.dropout() > 0).orElse(false);
    }

    /**
     * Gives the frozen weights to a folder, if there are any.
     *
     * @return size and digest by name of the files that the folder has now
     * @throws FileAccessException if they can neither be linked nor copied
     */
    public Map<String, FileDigest> shareFrozenWeights(Path folder) {
        return lora().isPresent() ? BaseWeights.link(BaseWeights.in(path), folder, manifest.files()) : Map.of();
    }

    /** The training graph of a form. */
    public Path trainingModel(TrainingForm form) {
        return form.in(path, TRAINING_MODEL, manifest.formatVersion());
    }

    /** The evaluation graph of a form. */
    public Path evalModel(TrainingForm form) {
        return form.in(path, EVAL_MODEL, manifest.formatVersion());
    }

    /** The forward graph. */
    public Path forwardModel() {
        return path.resolve(FORWARD_MODEL);
    }

    /** The graph of hidden states at response positions. */
    public Path hiddenModel() {
        return path.resolve(HIDDEN_MODEL);
    }

    /** The graph that measures how far models are apart. */
    public Path driftModel() {
        return path.resolve(DRIFT_MODEL);
    }
}
