package dev.holdfast.cli;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * A request to stop, from Ctrl-C or from the system: the first asks to stop after the step at hand, the second stops at once.
 *
 * <p>While it is open, SIGINT and SIGTERM no longer end the process by themselves; closing gives them back to the Java runtime. Stopping at
 * once is safe: what is on disk is complete at any moment.
 */
final class Interruption implements AutoCloseable {
    private static final List<String> SIGNALS = List.of("INT", "TERM");

    private final Console console;
    private final Supplier<String> consequence;
    private final Runnable stopAtOnce;
    private final AtomicBoolean requested = new AtomicBoolean();
    private final List<Signals.Registration> registrations;

    private Interruption(Console console, Supplier<String> consequence, Runnable stopAtOnce, boolean listening) {
        this.console = console;
        this.consequence = consequence;
        this.stopAtOnce = stopAtOnce;
        this.registrations = listening
                ? SIGNALS.stream()
                        .map(signal -> Signals.handle(signal, this::signalled))
                        .toList()
                : List.of();
    }

    /**
     * Listens to the signals of this process until it is closed.
     *
     * @param consequence what to say that the first signal leads to
     */
    static Interruption listen(Console console, Supplier<String> consequence) {
        return new Interruption(console, consequence, () -> Runtime.getRuntime().halt(ExitCode.INTERRUPTED), true);
    }

    /** As {@link #listen}, but for signals that are only acted out. */
    static Interruption simulated(Console console, Supplier<String> consequence, Runnable stopAtOnce) {
        return new Interruption(console, consequence, stopAtOnce, false);
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
            console.messages().println(consequence.get() + "; once more to stop at once");
        }
    }

    @Override
    public void close() {
        registrations.forEach(Signals.Registration::close);
    }
}
