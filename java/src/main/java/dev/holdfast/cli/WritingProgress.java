package dev.holdfast.cli;

import dev.holdfast.exporter.Exporter;
import java.util.Locale;

/** The progress of writing a model's weights, in percent. */
final class WritingProgress implements Exporter.Listener, AutoCloseable {
    private static final int WHOLE = 100;
    private static final int INTERVAL = 20;
    private static final double MILLION = 1e6;

    private final Progress progress;
    private long percent = -1;

    WritingProgress(Console console, String task) {
        this.progress = Progress.start(console, task, WHOLE, INTERVAL);
    }

    @Override
    public void written(long numbers, long total) {
        long reached = total == 0 ? WHOLE : WHOLE * numbers / total;
        if (reached != percent) {
            percent = reached;
            progress.update(reached, () -> String.format(Locale.ROOT, "%.1f M of %.1f M parameters", numbers / MILLION, total / MILLION));
        }
    }

    @Override
    public void close() {
        progress.close();
    }
}
