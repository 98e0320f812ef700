package dev.holdfast.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.holdfast.artifact.JsonFiles;
import dev.holdfast.artifact.JsonLinesFile;
import dev.holdfast.artifact.RunFolder;
import dev.holdfast.chart.Point;
import dev.holdfast.error.FileAccessException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * What the files of a run hold; lines that are not whole are left out.
 *
 * @param folder the run's folder
 * @param settings the configuration as text
 * @param config the same as a tree
 * @param provenance of the run; missing where the file is
 * @param status how far it is; none for a run of a Holdfast that kept none
 * @param metrics a line a step
 * @param evaluations on held-out rows
 * @param retention on rows of what should be kept
 * @param ledger measurements of drift
 * @param alphas weights of the reference that a budget chose
 * @param timing what the time went into
 */
record RunFiles(
        Path folder,
        String settings,
        JsonNode config,
        JsonNode provenance,
        Optional<RunStatus> status,
        List<JsonNode> metrics,
        List<JsonNode> evaluations,
        List<JsonNode> retention,
        List<JsonNode> ledger,
        List<JsonNode> alphas,
        List<JsonNode> timing) {
    static RunFiles read(RunFolder run) {
        String settings = text(run.config());
        return new RunFiles(
                run.path(),
                settings,
                yaml(settings),
                Files.exists(run.provenance())
                        ? JsonFiles.read(run.provenance(), JsonNode.class)
                        : MissingNode.getInstance(),
                Files.exists(run.status())
                        ? Optional.of(JsonFiles.read(run.status(), RunStatus.class))
                        : Optional.empty(),
                lines(run.metrics()),
                lines(run.evaluations()),
                lines(run.retention()),
                lines(run.ledger()),
                lines(run.alphas()),
                lines(run.timing()));
    }

    private static List<JsonNode> lines(Path file) {
        return new JsonLinesFile(file).read();
    }

    private static String text(Path file) {
        try {
            return Files.exists(file) ? Files.readString(file) : "";
        } catch (IOException e) {
            throw FileAccessException.reading(file, e);
        }
    }

    /** A configuration that a person has broken since is still shown as text. */
    private static JsonNode yaml(String settings) {
        try {
            return new YAMLMapper().readTree(settings);
        } catch (JsonProcessingException e) {
            return MissingNode.getInstance();
        }
    }

    boolean isAnchored() {
        return provenance.path("job").asText().equals("anchor");
    }

    /** A number of each line by its step; a gap where the line has none. */
    static List<Point> points(List<JsonNode> lines, String key) {
        return points(lines, "step", key);
    }

    static List<Point> points(List<JsonNode> lines, String place, String key) {
        return lines.stream()
                .filter(line -> line.path(place).isNumber())
                .map(line -> new Point(line.path(place).asDouble(), number(line, key)))
                .toList();
    }

    static double number(JsonNode line, String key) {
        return line.path(key).isNumber() ? line.path(key).asDouble() : Double.NaN;
    }

    /** The number of the first line that has one. */
    static OptionalDouble first(List<JsonNode> lines, String key) {
        return lines.stream()
                .mapToDouble(line -> number(line, key))
                .filter(Double::isFinite)
                .findFirst();
    }

    /** The number of the last line that has one. */
    static OptionalDouble last(List<JsonNode> lines, String key) {
        return lines.stream()
                .mapToDouble(line -> number(line, key))
                .filter(Double::isFinite)
                .reduce((a, b) -> b);
    }

    /** The last step that anything is known of. */
    double lastStep() {
        return metrics.isEmpty()
                ? 1
                : metrics.get(metrics.size() - 1).path("step").asDouble(1);
    }

    /** All seconds that went into something. */
    double seconds(String key) {
        return timing.stream().mapToDouble(line -> line.path(key).asDouble()).sum();
    }

    /** Steps at which a later session began. */
    List<Integer> resumed() {
        return timing.stream()
                .filter(line -> line.path("loading_seconds").asDouble() > 0)
                .map(line -> line.path("step").asInt())
                .filter(step -> step > 0)
                .distinct()
                .toList();
    }

    /** Steps before which a later outer iteration began. */
    List<Integer> iterationStarts() {
        return IntStream.range(1, metrics.size())
                .filter(i -> metrics.get(i).path("outer_iteration").asInt()
                        > metrics.get(i - 1).path("outer_iteration").asInt())
                .mapToObj(i -> metrics.get(i - 1).path("step").asInt())
                .toList();
    }
}
