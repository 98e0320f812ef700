package dev.holdfast.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.config.TooLongRows;
import dev.holdfast.error.InvalidInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class BatcherTest {
    private static final int PAD = 0;
    private static final int MAX_LENGTH = 20;

    /** One response token with what training needs of it. */
    private record Learnt(long row, long label, float weight) {}

    @Provide
    Arbitrary<List<EncodedExample>> rows() {
        Arbitrary<Integer> length = Arbitraries.integers().between(2, MAX_LENGTH);
        return Combinators.combine(length, Arbitraries.longs())
                .as(BatcherTest::example)
                .list()
                .ofMinSize(1)
                .ofMaxSize(23)
                .map(BatcherTest::numbered);
    }

    /** Ids from 1 on, so that none is padding; at least the last token is response. */
    private static EncodedExample example(int length, long seed) {
        Random random = new Random(seed);
        int[] ids = random.ints(length, 1, 1000).toArray();
        boolean[] response = new boolean[length];
        for (int index = 1; index < length; index++) {
            response[index] = index == length - 1 || random.nextBoolean();
        }
        return new EncodedExample(0, ids, response);
    }

    private static List<EncodedExample> numbered(List<EncodedExample> examples) {
        return IntStream.range(0, examples.size())
                .mapToObj(index -> new EncodedExample(
                        index, examples.get(index).ids(), examples.get(index).response()))
                .toList();
    }

    @Property(tries = 200)
    void everyResponseTokenAppearsOncePerEpochWithItsLabelAndPlace(
            @ForAll("rows") List<EncodedExample> rows,
            @ForAll @IntRange(min = 1, max = 5) int microBatchSize,
            @ForAll @IntRange(min = 1, max = 3) int accumulation,
            @ForAll long seed,
            @ForAll boolean shuffle,
            @ForAll @IntRange(min = 1, max = 9) int multiple) {
        Batcher batcher = new Batcher(
                rows, new BatchOptions(microBatchSize, accumulation, shuffle, seed, PAD, multiple, MAX_LENGTH));
        List<Long> seen = new ArrayList<>();
        for (int index = 0; index < batcher.globalBatchesPerEpoch(); index++) {
            List<Batch> batches = batcher.globalBatch(3, index);
            assertThat(batches).hasSizeBetween(1, accumulation);
            assertThat(batches.stream().mapToLong(Batch::responseTokens).sum())
                    .isEqualTo(batches.get(0).globalResponseTokens());
            for (Batch batch : batches) {
                assertBatch(batch, rows, microBatchSize, multiple);
                seen.addAll(batch.rows());
            }
        }
        assertThat(seen).doesNotHaveDuplicates().hasSize(rows.size());
        if (!shuffle) {
            assertThat(seen).isSorted();
        }
    }

    private static void assertBatch(Batch batch, List<EncodedExample> rows, int microBatchSize, int multiple) {
        int length = (int) batch.inputIds().shape().dimension(1);
        assertThat(batch.rows()).hasSizeBetween(1, microBatchSize);
        assertThat(length % multiple == 0 || length == MAX_LENGTH).isTrue();
        assertThat(batch.inputIds().shape().dimension(0)).isEqualTo(batch.rows().size());
        long[] ids = batch.inputIds().toLongArray();
        List<Long> positions = new ArrayList<>();
        List<Long> labels = new ArrayList<>();
        for (int b = 0; b < batch.rows().size(); b++) {
            EncodedExample example = rows.get(batch.rows().get(b).intValue());
            for (int t = 0; t < length; t++) {
                assertThat(ids[b * length + t]).isEqualTo(t < example.length() ? example.ids()[t] : PAD);
                if (t < example.length() && example.response()[t]) {
                    positions.add((long) b * length + t - 1);
                    labels.add((long) example.ids()[t]);
                }
            }
        }
        assertThat(batch.responsePositions().toLongArray())
                .containsExactly(positions.stream().mapToLong(value -> value).toArray());
        assertThat(batch.labels().toLongArray())
                .containsExactly(labels.stream().mapToLong(value -> value).toArray());
        assertThat(batch.weights().toFloatArray()).containsOnly(1f / batch.globalResponseTokens());
    }

    @Property(tries = 100)
    void theCutIntoMicroBatchesChangesNothingThatIsLearnt(
            @ForAll("rows") List<EncodedExample> rows, @ForAll long seed) {
        List<Learnt> whole = learnt(rows, 4, 1, seed);
        assertThat(learnt(rows, 2, 2, seed)).isEqualTo(whole);
        assertThat(learnt(rows, 1, 4, seed)).isEqualTo(whole);
    }

    private static List<Learnt> learnt(List<EncodedExample> rows, int microBatchSize, int accumulation, long seed) {
        Batcher batcher =
                new Batcher(rows, new BatchOptions(microBatchSize, accumulation, true, seed, PAD, 8, MAX_LENGTH));
        List<Learnt> learnt = new ArrayList<>();
        for (int index = 0; index < batcher.globalBatchesPerEpoch(); index++) {
            for (Batch batch : batcher.globalBatch(1, index)) {
                long length = batch.inputIds().shape().dimension(1);
                for (int n = 0; n < batch.responseTokens(); n++) {
                    long row = batch.rows()
                            .get((int) (batch.responsePositions().longs().get(n) / length));
                    learnt.add(new Learnt(
                            row,
                            batch.labels().longs().get(n),
                            batch.weights().floats().get(n)));
                }
            }
        }
        return learnt;
    }

    @Property(tries = 200)
    void anEpochsOrderIsAPermutationThatSeedAndEpochDetermine(
            @ForAll @IntRange(min = 0, max = 200) int count,
            @ForAll long seed,
            @ForAll @IntRange(min = 0, max = 50) int epoch) {
        int[] order = EpochOrder.shuffled(count, seed, epoch);
        assertThat(Arrays.stream(order).sorted().toArray()).isEqualTo(EpochOrder.fileOrder(count));
        assertThat(EpochOrder.shuffled(count, seed, epoch)).isEqualTo(order);
    }

    @Test
    void epochsAndSeedsHaveOrdersOfTheirOwn() {
        assertThat(EpochOrder.shuffled(100, 1, 0))
                .isNotEqualTo(EpochOrder.shuffled(100, 1, 1))
                .isNotEqualTo(EpochOrder.shuffled(100, 2, 0));
        assertThat(EpochOrder.shuffled(100, 1, 1)).isNotEqualTo(EpochOrder.shuffled(100, 2, 0));
    }

    @Test
    void theOrderIsFixedForAllTime() {
        assertThat(EpochOrder.shuffled(8, 42, 0)).containsExactly(5, 0, 7, 6, 1, 3, 2, 4);
    }

    @Test
    void everyPlaceIsEquallyLikely() {
        int[][] counts = new int[4][4];
        for (int epoch = 0; epoch < 12_000; epoch++) {
            int[] order = EpochOrder.shuffled(4, 5, epoch);
            for (int place = 0; place < 4; place++) {
                counts[place][order[place]]++;
            }
        }
        // 3,000 expected with a standard deviation of 47; five deviations either way.
        assertThat(Arrays.stream(counts).flatMapToInt(Arrays::stream).toArray())
                .satisfies(all -> assertThat(Arrays.stream(all).allMatch(count -> Math.abs(count - 3000) < 240))
                        .isTrue());
    }

    @Test
    void aBatchIsFoundFromEpochAndIndexAlone() {
        List<EncodedExample> rows = numbered(
                IntStream.range(0, 11).mapToObj(index -> example(5, index)).toList());
        Batcher first = new Batcher(rows, new BatchOptions(2, 2, true, 9, PAD, 8, MAX_LENGTH));
        Batcher second = new Batcher(rows, new BatchOptions(2, 2, true, 9, PAD, 8, MAX_LENGTH));
        first.globalBatch(0, 0);
        assertThat(first.globalBatchesPerEpoch()).isEqualTo(3);
        assertThat(second.globalBatch(7, 2)).hasSize(2);
        assertThat(first.globalBatch(7, 2).get(1).rows())
                .isEqualTo(second.globalBatch(7, 2).get(1).rows())
                .hasSize(1);
    }

    @Test
    void aBatchWithoutAResponseTokenIsRefused() {
        EncodedExample empty = new EncodedExample(4, new int[] {1, 2}, new boolean[2]);
        Batcher batcher = new Batcher(List.of(empty), new BatchOptions(1, 1, false, 0, PAD, 8, MAX_LENGTH));
        assertThatThrownBy(() -> batcher.globalBatch(0, 0))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("row 4")
                .hasMessageContaining("no response token");
    }

    @Test
    void mistakesOfTheCallerAreRefused() {
        assertThatThrownBy(() -> new Batcher(List.of(), new BatchOptions(1, 1, false, 0, PAD, 8, MAX_LENGTH)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new BatchOptions(0, 1, false, 0, PAD, 8, MAX_LENGTH))
                .isInstanceOf(IllegalArgumentException.class);
        Batcher batcher = new Batcher(List.of(example(3, 1)), new BatchOptions(1, 1, false, 0, PAD, 8, MAX_LENGTH));
        assertThatThrownBy(() -> batcher.globalBatch(0, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new EncodingOptions(1, TooLongRows.CUT, true, 10))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
