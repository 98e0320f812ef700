package dev.holdfast.cli;

import picocli.CommandLine.Option;

/** The flags that every command takes. */
final class CommonFlags {
    @Option(names = "--quiet", description = "Say nothing but results and errors")
    private boolean quiet;

    @Option(names = "--verbose", description = "Show the log, and stack traces of failures")
    private boolean verbose;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this text")
    private boolean help;

    Verbosity verbosity() {
        return verbose ? Verbosity.VERBOSE : quiet ? Verbosity.QUIET : Verbosity.NORMAL;
    }
}
