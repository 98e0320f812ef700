package dev.holdfast.cli;

import java.io.File;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The libraries that this process was started with. */
final class ClassPath {
    private static final Pattern JAR = Pattern.compile("(.+?)-(\\d[^/]*)\\.jar");

    private ClassPath() {}

    /** Name and version of each jar, in alphabetical order. */
    static List<String> libraries() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> entry.endsWith(".jar"))
                .map(entry -> nameAndVersion(Path.of(entry).getFileName().toString()))
                .sorted()
                .toList();
    }

    private static String nameAndVersion(String jar) {
        Matcher matcher = JAR.matcher(jar);
        return matcher.matches() ? matcher.group(1) + " " + matcher.group(2) : jar;
    }
}
