package dev.holdfast.natives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.holdfast.onnx.Attributes;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Matrix products under ONNX Runtime against sums in double precision. */
class MatrixProductOperatorTest {
    private final Random random = new Random(1);

    /** Sizes of a product and how its operands are stored. */
    private record Form(int m, int n, int k, boolean transposeA, boolean transposeB) {
        Attributes attributes(float alpha) {
            return Attributes.of("transA", transposeA, "transB", transposeB, "alpha", alpha);
        }

        HostTensor a(Random random) {
            return transposeA ? normal(random, k, m) : normal(random, m, k);
        }

        HostTensor b(Random random) {
            return transposeB ? normal(random, n, k) : normal(random, k, n);
        }
    }

    /**
     * A single element, odd sizes below a vector, sizes with a remainder, one that is cut into several tiles, one row that is, and sums of
     * one more than a panel and of several.
     */
    static Stream<Form> forms() {
        int[][] sizes = {
            {1, 1, 1}, {3, 5, 7}, {33, 130, 65}, {450, 700, 380}, {1, 9000, 40}, {5, 35, 1537}, {20, 17, 3200}
        };
        return Stream.of(sizes).flatMap(size -> IntStream.range(0, 4)
                .mapToObj(bits -> new Form(size[0], size[1], size[2], (bits & 1) != 0, (bits & 2) != 0)));
    }

    static Stream<Arguments> formsAndTypes() {
        return forms().flatMap(form -> Stream.of(Arguments.of(form, false), Arguments.of(form, true)));
    }

    private static HostTensor normal(Random random, long... shape) {
        HostTensor tensor = HostTensor.allocate(ElementType.FLOAT, Shape.of(shape));
        for (int i = 0; i < tensor.elementCount(); i++) {
            tensor.floats().put(i, (float) random.nextGaussian());
        }
        return tensor;
    }

    private static void assumeSupported(boolean bfloat16) {
        assumeThat(!bfloat16 || NativeLibrary.load().multipliesBfloat16())
                .as("this processor has neither AVX512_BF16 nor AMX")
                .isTrue();
    }

    private static float operand(float value, boolean bfloat16) {
        if (!bfloat16) {
            return value;
        }
        int bits = Float.floatToRawIntBits(value);
        return Float.intBitsToFloat((bits + 0x7fff + (bits >>> 16 & 1)) & 0xffff0000);
    }

    /**
     * Checks y = alpha·op(a)·op(b) + base. Whatever the order of a sum, its error is at most k·2⁻²⁴ of the sum of the magnitudes (Higham,
     * "Accuracy and Stability of Numerical Algorithms", eq. 3.5); two more roundings are those of alpha and of the addition.
     */
    private static void assertProduct(
            Form form, HostTensor a, HostTensor b, float alpha, float[] base, float[] y, boolean bfloat16) {
        float[] left = a.toFloatArray();
        float[] right = b.toFloatArray();
        for (int row = 0; row < form.m; row++) {
            for (int column = 0; column < form.n; column++) {
                double sum = 0;
                double magnitude = 0;
                for (int i = 0; i < form.k; i++) {
                    double term = (double)
                                    operand(left[form.transposeA ? i * form.m + row : row * form.k + i], bfloat16)
                            * operand(right[form.transposeB ? column * form.k + i : i * form.n + column], bfloat16);
                    sum += term;
                    magnitude += Math.abs(term);
                }
                int at = row * form.n + column;
                double expected = alpha * sum + base[at];
                double tolerance = (form.k + 2) * 0x1p-24 * (Math.abs(alpha) * magnitude + Math.abs(base[at]));
                if (!(Math.abs(y[at] - expected) <= tolerance)) {
                    throw new AssertionError(form + " row " + row + " column " + column + ": expected " + expected
                            + " within " + tolerance + ", got " + y[at]);
                }
            }
        }
    }

    private static float[] repeated(float[] row, int rows) {
        float[] all = new float[row.length * rows];
        for (int i = 0; i < all.length; i++) {
            all[i] = row[i % row.length];
        }
        return all;
    }

    @ParameterizedTest(name = "{0}, bfloat16 {1}")
    @MethodSource("formsAndTypes")
    void multipliesAndAddsWhatIsGiven(Form form, boolean bfloat16) {
        assumeSupported(bfloat16);
        HostTensor a = form.a(random);
        HostTensor b = form.b(random);
        HostTensor bias = normal(random, form.n);
        HostTensor addend = normal(random, form.m, form.n);
        assertProduct(form, a, b, 1, new float[form.m * form.n], product(form, 1, a, b, null, bfloat16), bfloat16);
        float[] biases = repeated(bias.toFloatArray(), form.m);
        assertProduct(form, a, b, 1, biases, product(form, 1, a, b, bias, bfloat16), bfloat16);
        assertProduct(form, a, b, 0.5f, addend.toFloatArray(), product(form, 0.5f, a, b, addend, bfloat16), bfloat16);
    }

    private static float[] product(Form form, float alpha, HostTensor a, HostTensor b, HostTensor c, boolean bfloat16) {
        OperatorRun run = new OperatorRun("MatrixProduct").input("a", a).input("b", b);
        if (c != null) {
            run.input("c", c);
        }
        return run.attributes(form.attributes(alpha))
                .bfloat16(bfloat16)
                .output("y")
                .run()
                .get("y")
                .toFloatArray();
    }

    @ParameterizedTest(name = "bfloat16 {0}")
    @ValueSource(booleans = {false, true})
    void hasTheSameBitsOnOneThreadAndOnTwo(boolean bfloat16) {
        assumeSupported(bfloat16);
        HostTensor a = normal(random, 500, 333);
        HostTensor b = normal(random, 801, 333);
        OperatorRun run = new OperatorRun("MatrixProduct")
                .input("a", a)
                .input("b", b)
                .attributes(Attributes.of("transB", true))
                .bfloat16(bfloat16)
                .output("y");
        assertThat(run.threads(1).run().get("y").toFloatArray())
                .isEqualTo(run.threads(2).run().get("y").toFloatArray());
    }

    @ParameterizedTest(name = "{0}, bfloat16 {1}")
    @MethodSource("formsAndTypes")
    void accumulatesInTheMemoryOfTheCaller(Form form, boolean bfloat16) {
        assumeSupported(bfloat16);
        HostTensor a = form.a(random);
        HostTensor b = form.b(random);
        HostTensor total = normal(random, form.m, form.n);
        float[] before = total.toFloatArray();

        accumulate(form, a, b, total, null, bfloat16);
        assertProduct(form, a, b, 1, before, total.toFloatArray(), bfloat16);

        float[] once = total.toFloatArray();
        accumulate(form, a, b, total, false, bfloat16);
        assertProduct(form, a, b, 1, once, total.toFloatArray(), bfloat16);

        total.floats().put(0, Float.NaN);
        accumulate(form, a, b, total, true, bfloat16);
        assertProduct(form, a, b, 1, new float[form.m * form.n], total.toFloatArray(), bfloat16);
    }

    private static void accumulate(
            Form form, HostTensor a, HostTensor b, HostTensor total, Boolean reset, boolean bfloat16) {
        OperatorRun run = new OperatorRun("AccumulateMatrixProduct")
                .input("a", a)
                .input("b", b)
                .input("total", total);
        if (reset != null) {
            run.input("reset", flag(reset));
        }
        run.attributes(form.attributes(1))
                .bfloat16(bfloat16)
                .output("after")
                .consumed("after")
                .run();
    }

    private static HostTensor flag(boolean value) {
        HostTensor flag = HostTensor.allocate(ElementType.BOOL, Shape.of(1));
        flag.bytes().put(0, (byte) (value ? 1 : 0));
        return flag;
    }

    @Test
    void accumulatesRowsOfAnEmbeddingInTheMemoryOfTheCaller() {
        HostTensor ids = HostTensor.ofLongs(new long[] {2, 0, 2}, 3);
        HostTensor dy = HostTensor.ofFloats(new float[] {1, 2, 10, 20, 100, 200}, 3, 2);
        HostTensor total = HostTensor.allocate(ElementType.FLOAT, Shape.of(3, 2));
        total.floats().put(new float[] {1, 1, 2, 2, 3, 3});
        OperatorRun run = new OperatorRun("AccumulateEmbeddingGrad")
                .input("ids", ids)
                .input("dy", dy)
                .input("total", total);
        run.output("after").consumed("after").run();
        assertThat(total.toFloatArray()).containsExactly(11, 21, 2, 2, 104, 205);
        run.input("reset", flag(true)).run();
        assertThat(total.toFloatArray()).containsExactly(10, 20, 0, 0, 101, 202);
    }

    @Test
    void refusesWhatDoesNotFit() {
        OperatorRun matrices = new OperatorRun("MatrixProduct")
                .input("a", normal(random, 2, 3))
                .input("b", normal(random, 4, 5))
                .output("y");
        assertThatThrownBy(matrices::run)
                .hasMessageContaining("MatrixProduct: b: expected 3 elements to sum over, as a has, got shape [4, 5]");
        OperatorRun addend = new OperatorRun("MatrixProduct")
                .input("a", normal(random, 2, 3))
                .input("b", normal(random, 3, 5))
                .input("c", normal(random, 4))
                .output("y");
        assertThatThrownBy(addend::run).hasMessageContaining("MatrixProduct: c: expected shape [5] or [2, 5], got [4]");
    }

    @Test
    void knowsItsLibrary() {
        assertThat(NativeLibrary.load().matrixLibrary()).startsWith("oneDNN 3.");
    }
}
