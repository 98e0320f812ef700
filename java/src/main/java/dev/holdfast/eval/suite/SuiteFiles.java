package dev.holdfast.eval.suite;

import dev.holdfast.data.JsonLine;
import dev.holdfast.data.JsonLines;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidInputException;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The data files of a suite.
 *
 * @param paths at least one, in order
 */
record SuiteFiles(List<Path> paths) {
    private static final String ENDINGS = "{.jsonl,.jsonl.gz,.txt}";
    private static final int DEPTH = 2;

    /**
     * Finds the files of a suite.
     *
     * @param data a file of the suite, or a folder that holds its files under their usual names
     * @return nothing if the folder holds none
     */
    static Optional<SuiteFiles> find(SuiteName suite, Path data) {
        if (!Files.isDirectory(data)) {
            return Optional.of(new SuiteFiles(List.of(data)));
        }
        List<Path> files = files(data);
        for (String pattern : suite.files()) {
            PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + pattern + ENDINGS);
            List<Path> found = files.stream()
                    .filter(file -> matcher.matches(data.relativize(file)))
                    .toList();
            if (!found.isEmpty()) {
                return Optional.of(new SuiteFiles(found));
            }
        }
        return Optional.empty();
    }

    private static List<Path> files(Path folder) {
        try (Stream<Path> tree = Files.walk(folder, DEPTH)) {
            return tree.filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            throw FileAccessException.reading(folder, e);
        }
    }

    /**
     * What each line of all files holds.
     *
     * @throws dev.holdfast.error.MalformedFileException if a line cannot be read
     * @throws InvalidInputException if there is no line
     */
    <T> List<T> read(Function<JsonLine, T> reader) {
        List<T> values = new ArrayList<>();
        paths.forEach(path -> new JsonLines(path).forEach(line -> values.add(reader.apply(line))));
        if (values.isEmpty()) {
            throw new InvalidInputException(paths.get(0) + ": no rows: expected at least one");
        }
        return values;
    }
}
