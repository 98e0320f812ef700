package dev.holdfast.cli;

/** Progress of a task that writes the weights of a model, in percent of them. */
final class StagedProgress implements AutoCloseable {
    private static final int LINES = 4;

    private final Console console;
    private final String task;
    private Progress progress;
    private long percent = -1;

    StagedProgress(Console console, String task) {
        this.console = console;
        this.task = task;
    }

    /** Tells that so many of all are done. */
    void update(long done, long all) {
        if (progress == null) {
            progress = Progress.startPercent(console, task, 100 / LINES);
        }
        long reached = 100 * done / Math.max(1, all);
        if (reached != percent) {
            percent = reached;
            progress.update(percent, () -> "of the weights");
        }
    }

    @Override
    public void close() {
        if (progress != null) {
            progress.close();
        }
    }
}
