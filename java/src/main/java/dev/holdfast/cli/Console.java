package dev.holdfast.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;

/** The two streams of the process: results on standard output, everything else on standard error. */
final class Console {
    /** Set by the launcher when standard error is a terminal, to its width; Java itself cannot tell. */
    private static final String COLUMNS_PROPERTY = "holdfast.terminal.columns";

    private static final int USUAL_COLUMNS = 80;

    private final PrintStream results;
    private final PrintStream messages;
    private final OptionalInt terminalColumns;
    private final boolean colour;
    private Verbosity verbosity = Verbosity.NORMAL;

    /**
     * @param results where results go
     * @param messages where progress, warnings and errors go
     * @param terminalColumns the width of the terminal that shows the messages; empty where it is not a terminal
     * @param colour whether messages may be coloured
     */
    Console(PrintStream results, PrintStream messages, OptionalInt terminalColumns, boolean colour) {
        this.results = results;
        this.messages = messages;
        this.terminalColumns = terminalColumns;
        this.colour = colour;
    }

    /** The streams of this process, in UTF-8. */
    static Console ofProcess() {
        OptionalInt columns = columns(System.getProperty(COLUMNS_PROPERTY));
        String noColour = System.getenv("NO_COLOR");
        boolean colour = columns.isPresent() && (noColour == null || noColour.isEmpty());
        return new Console(utf8(FileDescriptor.out, false), utf8(FileDescriptor.err, true), columns, colour);
    }

    private static PrintStream utf8(FileDescriptor descriptor, boolean flushed) {
        return new PrintStream(new FileOutputStream(descriptor), flushed, StandardCharsets.UTF_8);
    }

    private static OptionalInt columns(String property) {
        if (property == null) {
            return OptionalInt.empty();
        }
        boolean known = property.matches("[1-9][0-9]{0,4}");
        return OptionalInt.of(known ? Integer.parseInt(property) : USUAL_COLUMNS);
    }

    void setVerbosity(Verbosity verbosity) {
        this.verbosity = verbosity;
    }

    Verbosity verbosity() {
        return verbosity;
    }

    /** Standard output; nothing but results. */
    PrintStream results() {
        return results;
    }

    /** Standard error. */
    PrintStream messages() {
        return messages;
    }

    /** Says something on standard error, unless it is to be quiet. */
    void say(String line) {
        if (verbosity != Verbosity.QUIET) {
            results.flush();
            messages.println(line);
        }
    }

    OptionalInt terminalColumns() {
        return terminalColumns;
    }

    boolean colour() {
        return colour;
    }
}
