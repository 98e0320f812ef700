package dev.holdfast.cli;

/** Where the process starts and ends. */
public final class Main {
    private Main() {}

    /** Runs one command and exits with its code. */
    public static void main(String[] arguments) {
        System.exit(new Cli(Console.ofProcess()).run(arguments));
    }
}
