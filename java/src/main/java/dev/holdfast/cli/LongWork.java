package dev.holdfast.cli;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Says what is under way, once it takes longer than a reader would wait without wondering. */
final class LongWork implements AutoCloseable {
    private final long patienceMillis;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "holdfast-long-work");
        thread.setDaemon(true);
        return thread;
    });
    private Future<?> announcement = CompletableFuture.completedFuture(null);

    /**
     * Nothing is under way.
     *
     * @param patienceMillis how long work may take without being announced
     */
    LongWork(long patienceMillis) {
        this.patienceMillis = patienceMillis;
    }

    /** Work begins, and what was under way has ended; the announcement runs on a thread of its own. */
    void begin(Runnable announce) {
        end();
        announcement = clock.schedule(announce, patienceMillis, TimeUnit.MILLISECONDS);
    }

    /** What was under way has ended. */
    void end() {
        announcement.cancel(false);
    }

    @Override
    public void close() {
        end();
        clock.shutdown();
    }
}
