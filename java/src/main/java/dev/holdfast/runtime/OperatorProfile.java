package dev.holdfast.runtime;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.MalformedFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Where the time of a profiled session went.
 *
 * @param runs how often the model ran, runs that were left out not counted
 * @param runMicros microseconds of all runs together, with what lies between the operators
 * @param operators the operators, the costliest first
 */
public record OperatorProfile(int runs, long runMicros, List<OperatorTime> operators) {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String KERNEL_SUFFIX = "_kernel_time";

    /**
     * The time of all nodes of one operator.
     *
     * @param operator the operator's name, for example {@code MatMul}
     * @param calls how often one of its nodes ran
     * @param micros microseconds of all calls together
     */
    public record OperatorTime(String operator, int calls, long micros) {
        private OperatorTime plus(long moreMicros) {
            return new OperatorTime(operator, calls + 1, micros + moreMicros);
        }
    }

    public OperatorProfile {
        operators = List.copyOf(operators);
    }

    /**
     * The youngest profile that a session wrote for a prefix.
     *
     * @throws FileAccessException if the folder cannot be read
     * @throws MalformedFileException if there is none: a session writes it when it is closed
     */
    public static Path latestFile(Path prefix) {
        Path folder = prefix.toAbsolutePath().getParent();
        String start = prefix.getFileName() + "_";
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().startsWith(start)
                            && file.toString().endsWith(".json"))
                    .max(Comparator.comparing(file -> file.toFile().lastModified()))
                    .orElseThrow(() -> MalformedFileException.of(
                            prefix, "expected a profile of this prefix, found none; close the session first"));
        } catch (IOException e) {
            throw FileAccessException.reading(folder, e);
        }
    }

    /**
     * Sums up a profile of which every run counts.
     *
     * @see #read(Path, int)
     */
    public static OperatorProfile read(Path file) {
        return read(file, 0);
    }

    /**
     * Sums up a profile. The first run takes its memory from the system page by page, which an operator with a large output may feel more
     * than its own work: those that warm up are better left out. Only the first JSON value of the file counts: the models of one training session may share a file name, and then
     * the training model's profile is written over the others'.
     *
     * @param warmUpRuns how many of the first runs do not count, at least 0
     * @throws FileAccessException if the file cannot be read
     * @throws MalformedFileException if it is no profile
     */
    public static OperatorProfile read(Path file, int warmUpRuns) {
        try (JsonParser parser = MAPPER.createParser(file.toFile())) {
            if (parser.nextToken() != JsonToken.START_ARRAY) {
                throw MalformedFileException.of(
                        file, "expected ONNX Runtime's profile, a JSON array, got another content");
            }
            Summary summary = new Summary(warmUpRuns);
            while (parser.nextToken() == JsonToken.START_OBJECT) {
                summary.add(MAPPER.readTree(parser));
            }
            return summary.finish();
        } catch (JacksonException e) {
            throw MalformedFileException.of(
                    file, "expected ONNX Runtime's profile, got damaged JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw FileAccessException.reading(file, e);
        }
    }

    private static final class Summary {
        private final Map<String, OperatorTime> times = new HashMap<>();
        private int runsToLeaveOut;
        private int runs;
        private long runMicros;

        Summary(int runsToLeaveOut) {
            this.runsToLeaveOut = runsToLeaveOut;
        }

        void add(JsonNode event) {
            long micros = event.path("dur").asLong();
            String name = event.path("name").asText();
            String operator = event.path("args").path("op_name").asText();
            if (name.equals("model_run")) {
                endRun(micros);
            } else if (name.endsWith(KERNEL_SUFFIX) && !operator.isEmpty()) {
                times.put(
                        operator,
                        times.getOrDefault(operator, new OperatorTime(operator, 0, 0))
                                .plus(micros));
            }
        }

        /** A run is told after its operators. */
        private void endRun(long micros) {
            if (runsToLeaveOut > 0) {
                runsToLeaveOut--;
                times.clear();
                return;
            }
            runs++;
            runMicros += micros;
        }

        OperatorProfile finish() {
            List<OperatorTime> sorted = new ArrayList<>(times.values());
            sorted.sort(
                    Comparator.comparingLong(OperatorTime::micros).reversed().thenComparing(OperatorTime::operator));
            return new OperatorProfile(runs, runMicros, sorted);
        }
    }
}
