package dev.holdfast.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HalfPrecision;
import dev.holdfast.tensor.HostTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class HiddenCacheTest {
    private static final int HIDDEN_SIZE = 3;
    private static final String MODEL = "a1".repeat(32);
    private static final String ROWS_DIGEST = "b2".repeat(32);

    /** Numbers out of order and with gaps, as rows sorted by length without those that were dropped. */
    private static final List<CachedRow> ROWS =
            List.of(new CachedRow(7, 5), new CachedRow(0, 4), new CachedRow(9, 2), new CachedRow(3, 1));

    /** Rows of each block. */
    private static final int[] BLOCKS = {2, 1, 1};

    @TempDir
    Path folder;

    private static CacheKey key(ElementType type) {
        return new CacheKey(MODEL, ROWS_DIGEST, type, HIDDEN_SIZE);
    }

    private Path file() {
        return folder.resolve("some.cache");
    }

    /** The hidden states of a row: different for each row, and the same whenever they are asked for. */
    private static float[] states(CachedRow row) {
        Random random = new Random(row.row());
        float[] states = new float[row.responseTokens() * HIDDEN_SIZE];
        for (int i = 0; i < states.length; i++) {
            states[i] = (float) random.nextGaussian();
        }
        return states;
    }

    private static float[] states(List<CachedRow> rows) {
        int count = 0;
        float[] all =
                new float[rows.stream().mapToInt(CachedRow::responseTokens).sum() * HIDDEN_SIZE];
        for (CachedRow row : rows) {
            float[] own = states(row);
            System.arraycopy(own, 0, all, count, own.length);
            count += own.length;
        }
        return all;
    }

    private static HostTensor hidden(List<CachedRow> rows) {
        float[] states = states(rows);
        return HostTensor.ofFloats(states, states.length / HIDDEN_SIZE, HIDDEN_SIZE);
    }

    /** Appends what is missing, but no more than so many blocks. */
    private static void build(Path file, CacheKey key, int blocks) {
        try (CacheBuilder builder = CacheBuilder.open(file, key, ROWS).orElseThrow()) {
            for (int block = 0; block < blocks && builder.wholeRows() < ROWS.size(); block++) {
                int first = builder.wholeRows();
                int count = Math.min(BLOCKS[Math.min(first, BLOCKS.length - 1)], ROWS.size() - first);
                builder.append(count, hidden(ROWS.subList(first, first + count)));
            }
        }
    }

    private static HiddenCache complete(Path file, CacheKey key) {
        build(file, key, ROWS.size());
        return HiddenCache.find(file, key, ROWS).orElseThrow();
    }

    private static void assertHoldsAllRows(HiddenCache cache) {
        try (cache) {
            for (CachedRow row : ROWS) {
                assertThat(cache.read(List.of(row.row())).toFloatArray()).containsExactly(states(row));
            }
        }
    }

    @Test
    void rowsAreReadAsTheyWereWrittenInAnyOrder() {
        try (HiddenCache cache = complete(file(), key(ElementType.FLOAT))) {
            HostTensor read = cache.read(List.of(3L, 7L, 9L));
            assertThat(read.shape().toArray()).containsExactly(8, HIDDEN_SIZE);
            assertThat(read.toFloatArray()).containsExactly(states(List.of(ROWS.get(3), ROWS.get(0), ROWS.get(2))));
            assertThat(cache.relativeError()).isZero();
            assertThat(cache.sizeBytes()).isEqualTo(file().toFile().length());
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT16", "BFLOAT16"})
    void halfTypesRoundEachNumberAndTellBySoMuch(ElementType type) {
        try (HiddenCache cache = complete(file(), key(type))) {
            double squaredError = 0;
            double squaredNorm = 0;
            for (CachedRow row : ROWS) {
                float[] exact = states(row);
                float[] read = cache.read(List.of(row.row())).toFloatArray();
                for (int i = 0; i < exact.length; i++) {
                    assertThat(read[i]).isEqualTo(rounded(type, exact[i]));
                    squaredError += Math.pow(read[i] - (double) exact[i], 2);
                    squaredNorm += Math.pow(exact[i], 2);
                }
            }
            // The same sums in another order.
            assertThat(cache.relativeError())
                    .isPositive()
                    .isCloseTo(Math.sqrt(squaredError / squaredNorm), within(1e-12));
        }
    }

    private static float rounded(ElementType type, float value) {
        return type == ElementType.FLOAT16
                ? HalfPrecision.halfToFloat(HalfPrecision.floatToHalf(value))
                : HalfPrecision.bfloatToFloat(HalfPrecision.floatToBfloat(value));
    }

    @Test
    void numbersBeyondTheRangeOfTheTypeAreRefused() {
        HostTensor large = HostTensor.ofFloats(new float[15], 5, HIDDEN_SIZE);
        large.floats().put(2, 70_000);
        try (CacheBuilder builder =
                CacheBuilder.open(file(), key(ElementType.FLOAT16), ROWS).orElseThrow()) {
            assertThatThrownBy(() -> builder.append(1, large))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("within the range of FLOAT16");
            assertThat(builder.wholeRows()).isZero();
        }
    }

    @Test
    void hiddenStatesOfOtherRowsThanTheNextOnesAreRefused() {
        try (CacheBuilder builder =
                CacheBuilder.open(file(), key(ElementType.FLOAT), ROWS).orElseThrow()) {
            assertThatThrownBy(() -> builder.append(1, hidden(ROWS.subList(1, 2))))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("expected 15 numbers of the next 1 rows");
        }
    }

    @Test
    void anIncompleteCacheIsNotFoundAndContinuedWhereItEnds() throws IOException {
        CacheKey key = key(ElementType.FLOAT);
        assertThat(HiddenCache.find(file(), key, ROWS)).isEmpty();
        build(file(), key, 1);
        assertThat(HiddenCache.find(file(), key, ROWS)).isEmpty();
        try (CacheBuilder builder = CacheBuilder.open(file(), key, ROWS).orElseThrow()) {
            assertThat(builder.wholeRows()).isEqualTo(BLOCKS[0]);
            assertThat(builder.fault()).isEmpty();
        }
        byte[] part = Files.readAllBytes(file());
        assertHoldsAllRows(complete(file(), key));
        assertThat(Arrays.copyOf(Files.readAllBytes(file()), part.length)).isEqualTo(part);
    }

    /** As a kill or a full disk may leave it. */
    @Test
    void aCacheThatWasCutAnywhereIsContinuedFromItsLastWholeBlock() throws IOException {
        CacheKey key = key(ElementType.BFLOAT16);
        complete(file(), key).close();
        byte[] whole = Files.readAllBytes(file());
        int lastRows = 0;
        for (int length = 0; length < whole.length; length++) {
            Files.write(file(), Arrays.copyOf(whole, length));
            assertThat(HiddenCache.find(file(), key, ROWS)).isEmpty();
            try (CacheBuilder builder = CacheBuilder.open(file(), key, ROWS).orElseThrow()) {
                assertThat(builder.wholeRows()).isBetween(lastRows, ROWS.size() - 1);
                lastRows = builder.wholeRows();
            }
            complete(file(), key).close();
            assertThat(Files.readAllBytes(file())).isEqualTo(whole);
        }
        assertThat(lastRows).isEqualTo(ROWS.size() - 1);
    }

    /** Either the damage makes it one of something else, and it is refused, or it is mended. */
    @Test
    void aFlippedBitIsNeverReadAndWhatIsMendedIsAsBefore() throws IOException {
        CacheKey key = key(ElementType.FLOAT);
        complete(file(), key).close();
        byte[] whole = Files.readAllBytes(file());
        int mended = 0;
        for (int at = 0; at < whole.length; at++) {
            byte[] spoilt = whole.clone();
            spoilt[at] ^= (byte) (1 << at % 8);
            Files.write(file(), spoilt);
            try {
                boolean harmless = HiddenCache.find(file(), key, ROWS)
                        .map(cache -> {
                            assertHoldsAllRows(cache);
                            return true;
                        })
                        .orElse(false);
                assertThat(harmless).as("byte %d", at).isEqualTo(isPadding(at));
                complete(file(), key).close();
                mended += harmless ? 0 : 1;
                assertThat(harmless || Arrays.equals(Files.readAllBytes(file()), whole))
                        .as("byte %d", at)
                        .isTrue();
            } catch (InvalidInputException | MalformedFileException refused) {
                assertThat(at).as("a refusal by header").isLessThan(CacheHeader.sizeBytes(ROWS.size()));
                assertThat(Files.readAllBytes(file())).isEqualTo(spoilt);
            }
        }
        assertThat(mended).isGreaterThan(whole.length / 2);
    }

    /** The last four bytes of a block's header say nothing. */
    private static boolean isPadding(int at) {
        int block = CacheHeader.sizeBytes(ROWS.size());
        for (int place = 0, i = 0; place < ROWS.size(); place += BLOCKS[i], i++) {
            if (at >= block + BlockHeader.SIZE_BYTES - Integer.BYTES && at < block + BlockHeader.SIZE_BYTES) {
                return true;
            }
            int tokens = ROWS.subList(place, place + BLOCKS[i]).stream()
                    .mapToInt(CachedRow::responseTokens)
                    .sum();
            block += BlockHeader.SIZE_BYTES + tokens * HIDDEN_SIZE * Float.BYTES;
        }
        return false;
    }

    @Test
    void whatStandsBehindTheEndIsCutOff() throws IOException {
        CacheKey key = key(ElementType.FLOAT);
        complete(file(), key).close();
        byte[] whole = Files.readAllBytes(file());
        Files.write(file(), Arrays.copyOf(whole, whole.length + 3));
        assertThat(HiddenCache.find(file(), key, ROWS)).isEmpty();
        try (CacheBuilder builder = CacheBuilder.open(file(), key, ROWS).orElseThrow()) {
            assertThat(builder.fault()).contains("3 bytes stand behind its end");
            assertThat(builder.wholeRows()).isEqualTo(ROWS.size());
        }
        assertThat(Files.readAllBytes(file())).isEqualTo(whole);
    }

    private void assertRefused(CacheKey key, String what) {
        complete(file(), key(ElementType.FLOAT)).close();
        assertThatThrownBy(() -> HiddenCache.find(file(), key, ROWS))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageStartingWith(file() + ": cache: " + what + ": expected ")
                .hasMessageEndingWith("; remove it, or name another cache_dir");
        byte[] before = contents();
        assertThatThrownBy(() -> CacheBuilder.open(file(), key, ROWS)).isInstanceOf(InvalidInputException.class);
        assertThat(contents()).isEqualTo(before);
    }

    private byte[] contents() {
        try {
            return Files.readAllBytes(file());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aCacheOfAnotherModelIsRefused() {
        assertRefused(new CacheKey("c3".repeat(32), ROWS_DIGEST, ElementType.FLOAT, HIDDEN_SIZE), "model: SHA-256");
    }

    @Test
    void aCacheOfOtherRowsIsRefused() {
        assertRefused(
                new CacheKey(MODEL, "c3".repeat(32), ElementType.FLOAT, HIDDEN_SIZE),
                "rows (the data, the tokenizer or the chat template): SHA-256");
    }

    @Test
    void aCacheOfAnotherTypeIsRefused() {
        assertRefused(key(ElementType.FLOAT16), "element type");
    }

    @Test
    void aFileThatIsNoCacheIsRefusedAndLeftAsItIs() throws IOException {
        Files.writeString(file(), "a diary");
        assertThatThrownBy(() -> CacheBuilder.open(file(), key(ElementType.FLOAT), ROWS))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("expected a cache of hidden states");
        assertThat(file()).hasContent("a diary");
    }

    @Test
    void nobodyElseBuildsAFileMeanwhile() {
        CacheKey key = key(ElementType.FLOAT);
        try (CacheBuilder first = CacheBuilder.open(file(), key, ROWS).orElseThrow()) {
            assertThat(CacheBuilder.open(file(), key, ROWS)).isEmpty();
            assertThat(first.wholeRows()).isZero();
        }
        assertThat(CacheBuilder.open(file(), key, ROWS)).isPresent().get().satisfies(CacheBuilder::close);
    }

    @Test
    void anUnknownRowIsTheCallersMistake() {
        try (HiddenCache cache = complete(file(), key(ElementType.FLOAT))) {
            assertThatThrownBy(() -> cache.read(List.of(1L)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("got 1");
        }
    }

    @Test
    void theNameTellsModelRowsAndType() {
        assertThat(key(ElementType.BFLOAT16).fileName())
                .isEqualTo("hidden-a1a1a1a1a1a1a1a1-b2b2b2b2b2b2b2b2-bfloat16.cache");
    }
}
