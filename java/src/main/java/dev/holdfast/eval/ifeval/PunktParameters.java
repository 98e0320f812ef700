package dev.holdfast.eval.ifeval;

import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.MalformedFileException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What Punkt knows of a language.
 *
 * @param abbreviations words that end in a period, without it, in lower case
 * @param collocations words that a period does not part, joined by a tab
 * @param starters words that often begin a sentence
 * @param cases how words were seen written, as a sum of the flags
 */
public record PunktParameters(
        Set<String> abbreviations, Set<String> collocations, Set<String> starters, Map<String, Integer> cases) {
    /** Upper case within a sentence. */
    static final int UPPER_INSIDE = 1 << 2;
    /** Upper case: at the beginning of a sentence, within one, or where that is not known. */
    static final int UPPER = 1 << 1 | UPPER_INSIDE | 1 << 3;
    /** Lower case at the beginning of a sentence. */
    static final int LOWER_FIRST = 1 << 4;
    /** Lower case, anywhere. */
    static final int LOWER = LOWER_FIRST | 1 << 5 | 1 << 6;

    private static final String ABBREVIATIONS =
            "mr mrs ms dr prof rev st sr jr ph.d lt col gen capt gov sen rep inc corp co ltd bros vs u.s u.k"
                    + " a.m p.m jan feb mar apr aug sept oct nov dec mon tues wed thurs fri ave";
    private static final String STARTERS =
            "the he she it we they this that these those there in but and however if when while so then many"
                    + " some since although";

    /** A few English words that end in a period or begin a sentence; no more than a stand-in for trained parameters. */
    public static PunktParameters basic() {
        return new PunktParameters(Set.of(ABBREVIATIONS.split(" ")), Set.of(), Set.of(STARTERS.split(" ")), Map.of());
    }

    /**
     * Reads a folder of NLTK's {@code punkt_tab}, such as {@code english}.
     *
     * @throws FileAccessException if one of its four files cannot be read
     * @throws MalformedFileException if one is not what its name says
     */
    public static PunktParameters read(Path folder) {
        return new PunktParameters(
                new HashSet<>(lines(folder.resolve("abbrev_types.txt"))),
                new HashSet<>(lines(folder.resolve("collocations.tab"))),
                new HashSet<>(lines(folder.resolve("sent_starters.txt"))),
                cases(folder.resolve("ortho_context.tab")));
    }

    private static Map<String, Integer> cases(Path file) {
        Map<String, Integer> cases = new HashMap<>();
        long line = 0;
        for (String text : lines(file)) {
            line++;
            int tab = text.lastIndexOf('\t');
            if (tab < 0 || !text.substring(tab + 1).matches("\\d{1,3}")) {
                throw MalformedFileException.atLine(file, line, "expected a word, a tab and a number, got " + text);
            }
            cases.put(text.substring(0, tab), Integer.parseInt(text.substring(tab + 1)));
        }
        return cases;
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (CharacterCodingException e) {
            throw MalformedFileException.of(file, "expected UTF-8 text", e);
        } catch (IOException e) {
            throw FileAccessException.reading(file, e);
        }
    }

    boolean isAbbreviation(String word) {
        return abbreviations.contains(word) || abbreviations.contains(word.substring(word.lastIndexOf('-') + 1));
    }

    boolean isCollocation(String first, String second) {
        return collocations.contains(first + "\t" + second);
    }

    /** Whether a word was seen in one of the ways of the flags. */
    boolean wasSeen(String word, int flags) {
        return (cases.getOrDefault(word, 0) & flags) != 0;
    }
}
