package dev.holdfast.cli;

/** Progress of a task that tells its own size with its first report, in millions of numbers. */
final class StagedProgress implements AutoCloseable {
    private static final int LINES = 4;

    private final Console console;
    private final String task;
    private Progress progress;
    private long total;

    StagedProgress(Console console, String task) {
        this.console = console;
        this.task = task;
    }

    /** Tells that so many of all are done. */
    void update(long done, long all) {
        if (progress == null) {
            total = all;
            progress = Progress.start(console, task, 100, 100 / LINES);
        }
        progress.update(100 * done / Math.max(1, total), () -> "% of the weights");
    }

    @Override
    public void close() {
        if (progress != null) {
            progress.close();
        }
    }
}
