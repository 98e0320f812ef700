package dev.holdfast.train;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.holdfast.artifact.RunFolder;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.runtime.OrtRuntime;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Where a run comes from: {@code run.json}.
 *
 * @param job {@code sft} or {@code anchor}
 * @param command what reproduces the run, from its own configuration
 * @param versions of Holdfast, ONNX Runtime and Java
 * @param host the machine's name and processors
 * @param started when, in UTC
 * @param seed of the shuffling
 * @param artifact the artifact and the digest of its manifest
 * @param reference the reference and the digest of its weights; null for supervised fine-tuning
 * @param data training rows and, where given, held-out rows and rows of what should be kept, with their digests
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record Provenance(
        String job,
        String command,
        Map<String, String> versions,
        Host host,
        String started,
        long seed,
        Input artifact,
        Input reference,
        Map<String, Input> data) {

    /**
     * The machine.
     *
     * @param name its name
     * @param processors that the process may use
     */
    record Host(String name, int processors) {}

    /**
     * Something that the run was made from.
     *
     * @param path as it was given
     * @param sha256 digest of its content
     */
    record Input(String path, @JsonProperty("sha256") String sha256) {}

    /** Describes a run that begins now. */
    static Provenance of(PreparedJob job) {
        TrainingConfig config = job.config();
        return new Provenance(
                config.job().command(),
                "holdfast " + config.job().command() + " --config " + new RunFolder(config.out()).config()
                        + " --out NEW_FOLDER",
                softwareVersions(),
                new Host(hostName(), Runtime.getRuntime().availableProcessors()),
                Instant.now().toString(),
                config.seed(),
                new Input(config.artifact().toString(), job.artifact().digest()),
                job.reference()
                        .map(reference -> input(config.reference(), reference))
                        .orElse(null),
                job.rows().inputs());
    }

    private static Input input(Path path, FrozenSource model) {
        return new Input(path.toString(), model.weightsDigest());
    }

    private static Map<String, String> softwareVersions() {
        Map<String, String> versions = new LinkedHashMap<>();
        String holdfast = Provenance.class.getPackage().getImplementationVersion();
        versions.put("holdfast", holdfast == null ? "development" : holdfast);
        versions.put("onnxruntime", OrtRuntime.boot().facts().version());
        versions.put("java", Runtime.version().toString());
        return versions;
    }

    /** The machine's name. */
    static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "unknown";
        }
    }

    /**
     * Makes sure that a run is resumed with the models that it was begun with.
     *
     * @throws InvalidInputException if artifact or reference have changed
     */
    void requireSameModels(Provenance now) {
        requireSame("artifact", artifact, now.artifact);
        requireSame("reference", reference, now.reference);
    }

    /**
     * Makes sure that a run is resumed with the rows that it was begun with.
     *
     * @throws InvalidInputException if they have changed
     */
    void requireSameRows(Provenance now) {
        requireSame("data.train", data.get("train"), now.data.get("train"));
    }

    private static void requireSame(String what, Input then, Input now) {
        String before = then == null ? null : then.sha256();
        String after = now == null ? null : now.sha256();
        if (!Objects.equals(before, after)) {
            throw new InvalidInputException(
                    "resume: " + what + ": expected the same content as when the run began (SHA-256 " + before
                            + "), got " + after + (now == null ? "" : " in " + now.path()));
        }
    }
}
