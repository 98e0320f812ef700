package dev.holdfast.data;

import java.util.Random;

/**
 * The order in which an epoch visits the rows; a pure function of seed and epoch, the same on every machine and Java version.
 *
 * <p>Fisher–Yates from the last place down, the numbers drawn from {@link Random}, whose algorithm its documentation fixes. Its seed is the
 * job's seed and the epoch mixed by the finaliser of SplitMix64, so that neighbouring seeds and epochs have unrelated orders.
 */
public final class EpochOrder {
    private EpochOrder() {}

    /**
     * A permutation of 0 .. count − 1.
     *
     * @param count rows
     * @param epoch from 0
     */
    public static int[] shuffled(int count, long seed, long epoch) {
        int[] order = fileOrder(count);
        Random random = new Random(mix(mix(seed) + epoch));
        for (int last = count - 1; last > 0; last--) {
            int other = random.nextInt(last + 1);
            int swapped = order[last];
            order[last] = order[other];
            order[other] = swapped;
        }
        return order;
    }

    /** 0 .. count − 1 as they are. */
    public static int[] fileOrder(int count) {
        int[] order = new int[count];
        for (int index = 0; index < count; index++) {
            order[index] = index;
        }
        return order;
    }

    private static long mix(long value) {
        long mixed = (value ^ value >>> 30) * 0xbf58476d1ce4e5b9L;
        mixed = (mixed ^ mixed >>> 27) * 0x94d049bb133111ebL;
        return mixed ^ mixed >>> 31;
    }
}
