package dev.holdfast.cli;

import java.util.function.Supplier;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** The progress of a long command on standard error: a bar with the time left on a terminal, plain lines elsewhere. */
abstract class Progress implements AutoCloseable {
    private static final long PERCENT = 100;

    /**
     * Starts to show the progress of a task; the first update is always shown.
     *
     * @param console where it is shown, unless it is to be quiet
     * @param task what is done, in a word or two
     * @param total steps in all
     * @param interval steps between two plain lines, at least 1
     */
    static Progress start(Console console, String task, long total, long interval) {
        if (console.verbosity() == Verbosity.QUIET) {
            return new None();
        }
        return console.terminalColumns().isPresent()
                ? new Bar(console, task, total)
                : new Lines(console, task, total, interval, "/" + total + " ", true);
    }

    /** Shows nothing. */
    static Progress none() {
        return new None();
    }

    /** As {@link #start}, but of a task that is counted in percent. */
    static Progress startPercent(Console console, String task, long interval) {
        if (console.verbosity() == Verbosity.QUIET) {
            return new None();
        }
        return console.terminalColumns().isPresent()
                ? new Bar(console, task, PERCENT)
                : new Lines(console, task, PERCENT, interval, " %", false);
    }

    /**
     * Tells how far the task is.
     *
     * @param done steps done so far, from 0 to the total
     * @param detail what there is to say of it, such as the loss; asked for only if it is shown
     */
    abstract void update(long done, Supplier<String> detail);

    /** Says something on a line of its own while the task goes on. */
    abstract void say(String line);

    @Override
    public abstract void close();

    private static final class None extends Progress {
        @Override
        void update(long done, Supplier<String> detail) {}

        @Override
        void say(String line) {}

        @Override
        public void close() {}
    }

    private static final class Lines extends Progress {
        private final Console console;
        private final String task;
        private final long total;
        private final long interval;
        private final String unit;
        private final boolean showsFirst;
        private long firstDone = -1;
        private long firstNanos;

        Lines(Console console, String task, long total, long interval, String unit, boolean showsFirst) {
            this.console = console;
            this.task = task;
            this.total = total;
            this.interval = interval;
            this.unit = unit;
            this.showsFirst = showsFirst;
        }

        @Override
        void update(long done, Supplier<String> detail) {
            boolean isFirst = firstDone < 0;
            if (isFirst) {
                firstDone = done;
                firstNanos = System.nanoTime();
            }
            if (isFirst && showsFirst || done % interval == 0 || done == total) {
                console.say(task + " " + done + unit + " " + detail.get() + left(done));
            }
        }

        /** The time left, as fast as since the first report; before that there may have been an earlier session, or loading. */
        private String left(long done) {
            if (done == total || done <= firstDone) {
                return "";
            }
            double nanosEach = (System.nanoTime() - firstNanos) / (double) (done - firstDone);
            return "  left " + Durations.text(Math.round(nanosEach * (total - done) / 1e9));
        }

        @Override
        void say(String line) {
            console.say(line);
        }

        @Override
        public void close() {}
    }

    private static final class Bar extends Progress {
        private static final int UPDATE_MILLIS = 500;

        /** What the bar shows beside task, counts and detail: percentage, edges, a few blocks, times, blanks. */
        private static final int BAR_COLUMNS =
                " 100% │".length() + "████".length() + "│ ".length() + " (0:00:00 / 0:00:00) ".length();

        private static final String FIELD_GAP = "  ";

        private final Console console;
        private final int columns;
        private final int detailColumns;
        private final ProgressBar bar;

        Bar(Console console, String task, long total) {
            this.console = console;
            this.columns = console.terminalColumns().getAsInt();
            this.detailColumns = columns - 1 - task.length() - BAR_COLUMNS - (total + "/" + total).length();
            bar = new ProgressBarBuilder()
                    .setTaskName(task)
                    .setInitialMax(total)
                    .setUpdateIntervalMillis(UPDATE_MILLIS)
                    .setStyle(
                            console.colour() ? ProgressBarStyle.COLORFUL_UNICODE_BLOCK : ProgressBarStyle.UNICODE_BLOCK)
                    .setMaxRenderedLength(columns - 1)
                    .setConsumer(new ConsoleProgressBarConsumer(console.messages(), columns - 1))
                    .build();
        }

        @Override
        void update(long done, Supplier<String> detail) {
            bar.setExtraMessage(fitting(detail.get()));
            bar.stepTo(done);
        }

        /** The first fields of a detail that have room in the line, whole. */
        private String fitting(String detail) {
            StringBuilder kept = new StringBuilder();
            for (String field : detail.split(FIELD_GAP)) {
                if (kept.length() + FIELD_GAP.length() + field.length() > detailColumns) {
                    break;
                }
                kept.append(kept.length() == 0 ? " " : FIELD_GAP).append(field);
            }
            return kept.toString();
        }

        /** The bar is painted over; it comes back below with its next update. */
        @Override
        void say(String line) {
            console.say("\r" + " ".repeat(columns - 1) + "\r" + line);
        }

        @Override
        public void close() {
            bar.close();
        }
    }
}
