package dev.holdfast.cli;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A request to stop, from Ctrl-C or from the system: the first asks to stop after the step at hand, the second stops at once.
 *
 * <p>While it is open, SIGINT and SIGTERM no longer end the process by themselves; closing gives them back to the Java runtime. Stopping at
 * once is safe: what is on disk is complete at any moment.
 */
final class Interruption implements AutoCloseable {
    private static final List<String> SIGNALS = List.of("INT", "TERM");

    private final Console console;
    private final Runnable stopAtOnce;
    private final AtomicBoolean requested = new AtomicBoolean();
    private final List<Signals.Registration> registrations;

    private Interruption(Console console, Runnable stopAtOnce, boolean listening) {
        this.console = console;
        this.stopAtOnce = stopAtOnce;
        this.registrations = listening
                ? SIGNALS.stream()
                        .map(signal -> Signals.handle(signal, this::signalled))
                        .toList()
                : List.of();
    }

    /** Listens to the signals of this process until it is closed. */
    static Interruption listen(Console console) {
        return new Interruption(console, () -> Runtime.getRuntime().halt(ExitCode.INTERRUPTED), true);
    }

    /** As {@link #listen}, but for signals that are only acted out. */
    static Interruption simulated(Console console, Runnable stopAtOnce) {
        return new Interruption(console, stopAtOnce, false);
    }

    /** Whether somebody asked to stop. */
    boolean isRequested() {
        return requested.get();
    }

    void signalled() {
        if (requested.getAndSet(true)) {
            console.messages().println("stopping at once");
            console.messages().flush();
            stopAtOnce.run();
        } else {
            console.messages().println("stopping after this step; once more to stop at once");
        }
    }

    @Override
    public void close() {
        registrations.forEach(Signals.Registration::close);
    }
}
