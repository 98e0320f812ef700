package dev.holdfast.files;

import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.MalformedFileException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The digests of a folder's files as {@code sha256sum} writes them, so that {@code sha256sum --check SHA256SUMS} verifies them too. */
public final class Sha256Sums {
    /** The file's name. */
    public static final String NAME = "SHA256SUMS";

    private static final Pattern LINE = Pattern.compile("([0-9a-f]{64}) [ *]([^/]+)");

    private Sha256Sums() {}

    /**
     * Writes the list.
     *
     * @param digests by the names of files in the folder
     * @throws FileAccessException if it cannot be written
     */
    public static void write(Path folder, Map<String, FileDigest> digests) {
        String lines = digests.entrySet().stream()
                .map(entry -> entry.getValue().sha256() + "  " + entry.getKey() + "\n")
                .collect(Collectors.joining());
        OutputFile.writeWhole(folder.resolve(NAME), lines.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Makes sure that the files are those that the list was made of, reading each once; a folder without a list is taken as it is.
     *
     * @param hint what to do if one is not
     * @throws FileAccessException if a file is missing or cannot be read
     * @throws MalformedFileException if a file has other content, or the list is none
     */
    public static void verify(Path folder, String hint) {
        Path list = folder.resolve(NAME);
        if (!Files.exists(list)) {
            return;
        }
        List<String> lines = read(list);
        for (int i = 0; i < lines.size(); i++) {
            Matcher line = LINE.matcher(lines.get(i));
            if (!line.matches()) {
                throw MalformedFileException.atLine(
                        list, i + 1, "expected a SHA-256 digest, two blanks and the name of a file; " + hint);
            }
            verify(folder.resolve(line.group(2)), line.group(1), hint);
        }
    }

    /** Any bytes are text: what is none is told as a malformed line. */
    private static List<String> read(Path list) {
        try {
            return Files.readString(list, StandardCharsets.ISO_8859_1).lines().toList();
        } catch (IOException e) {
            throw FileAccessException.reading(list, e);
        }
    }

    private static void verify(Path file, String expected, String hint) {
        String got = FileDigest.of(file).sha256();
        if (!got.equals(expected)) {
            throw MalformedFileException.of(
                    file, "corrupt: expected SHA-256 " + expected + ", got " + got + "; " + hint);
        }
    }
}
