package dev.holdfast.bench;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** How fast this machine copies memory: the rate that a kernel which reads and writes everything once cannot exceed. */
final class CopyBandwidth {
    private static final int MOST_BYTES_PER_THREAD = 256 << 20;
    private static final long MOST_BYTES = 1L << 30; // of all threads' sources together
    private static final int RUNS = 7;

    private CopyBandwidth() {}

    /** Bytes read and written a second by so many threads together; the best of several runs. */
    static double measure(int threads) {
        int bytesPerThread = (int) Math.min(MOST_BYTES_PER_THREAD, MOST_BYTES / threads);
        List<ByteBuffer> buffers = new ArrayList<>();
        for (int i = 0; i < 2 * threads; i++) {
            buffers.add(touched(bytesPerThread));
        }
        double shortest = Double.POSITIVE_INFINITY;
        for (int run = 0; run < RUNS; run++) {
            shortest = Math.min(shortest, seconds(buffers));
        }
        return 2.0 * bytesPerThread * threads / shortest;
    }

    private static ByteBuffer touched(int bytes) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(bytes);
        for (int i = 0; i < bytes; i += 64) {
            buffer.put(i, (byte) i);
        }
        return buffer;
    }

    private static double seconds(List<ByteBuffer> buffers) {
        int threads = buffers.size() / 2;
        CountDownLatch start = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(threads);
        for (int i = 0; i < threads; i++) {
            ByteBuffer source = buffers.get(2 * i);
            ByteBuffer target = buffers.get(2 * i + 1);
            new Thread(() -> {
                        await(start);
                        target.duplicate().put(source.duplicate());
                        done.countDown();
                    })
                    .start();
        }
        long started = System.nanoTime();
        start.countDown();
        await(done);
        return (System.nanoTime() - started) / 1e9;
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("measuring the copy bandwidth was interrupted", e);
        }
    }
}
