package dev.holdfast.data;

import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/** Rows of training or evaluation data in a fixed order, read anew at every pass. */
public final class Examples {
    private interface Source {
        void forEach(Consumer<Row> consumer);
    }

    private final String name;
    private final Source source;

    private Examples(String name, Source source) {
        this.name = name;
        this.source = source;
    }

    /**
     * The rows of a JSON-lines file, one object a line, UTF-8; a name that ends in {@code .gz} is decompressed.
     *
     * <p>A row is recognised by its fields: {@code prompt} and {@code completion} (texts, or lists of messages), {@code messages}, {@code
     * text}, or {@code instruction}, {@code output} and perhaps {@code input}. Other fields are ignored, as are blank lines. The file is
     * opened at each pass, not here.
     */
    public static Examples jsonLines(Path file) {
        return new Examples(
                file.toString(), consumer -> new JsonLines(file).forEach(line -> consumer.accept(row(line))));
    }

    private static Row row(JsonLine line) {
        try {
            return new Row(line.index(), line.where(), RowFormat.example(line.object()));
        } catch (RowFormat.UnrecognisedRowException e) {
            throw line.malformed(e.getMessage());
        }
    }

    /** Rows in memory. */
    public static Examples of(List<? extends Example> examples) {
        List<Example> copy = List.copyOf(examples);
        return new Examples("examples", consumer -> {
            for (int index = 0; index < copy.size(); index++) {
                consumer.accept(new Row(index, "row " + index, copy.get(index)));
            }
        });
    }

    /** The file's name, or what stands for it in messages. */
    public String name() {
        return name;
    }

    /**
     * Passes every row to the consumer, in order, one in memory at a time.
     *
     * @throws MalformedFileException if a line is not UTF-8, not a JSON object, or holds no recognised fields; names file and line
     * @throws InvalidInputException if there is no row, or no such file
     */
    public void forEach(Consumer<Row> consumer) {
        long[] count = {0};
        source.forEach(row -> {
            count[0]++;
            consumer.accept(row);
        });
        if (count[0] == 0) {
            throw new InvalidInputException(name + ": no rows: expected at least one");
        }
    }
}
