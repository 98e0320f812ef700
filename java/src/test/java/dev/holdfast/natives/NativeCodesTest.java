package dev.holdfast.natives;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.config.Divergence;
import dev.holdfast.config.Interpolation;
import dev.holdfast.loss.AnchorLossInputs;
import dev.holdfast.loss.GradientMode;
import dev.holdfast.loss.LabelWeighting;
import dev.holdfast.loss.LinearAnchor;
import dev.holdfast.loss.LinearLogits;
import dev.holdfast.loss.LossStatistic;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToIntFunction;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The numbers that cross into the native library are those of its header, whatever the order of a Java enum. */
class NativeCodesTest {
    private static final Map<String, Integer> HEADER = constants(Path.of("cpp/include/holdfast/holdfast.h"));
    private static final Map<String, Integer> LINEAR = constants(Path.of("cpp/include/holdfast/linear_anchor_loss.h"));

    /** What the header's enums name, and its macros that are numbers. */
    private static Map<String, Integer> constants(Path header) {
        Pattern constant = Pattern.compile("\\b(HF_[A-Z0-9_]+)(?: = |\\s+\\(?)(-?\\d+)");
        try {
            return constant.matcher(Files.readString(header))
                    .results()
                    .collect(Collectors.toMap(match -> match.group(1), NativeCodesTest::number));
        } catch (IOException e) {
            throw new AssertionError(header + ": expected the library's header", e);
        }
    }

    private static int number(MatchResult match) {
        return Integer.parseInt(match.group(2));
    }

    private static Map<String, Integer> headersOf(String... names) {
        return Arrays.stream(names).collect(Collectors.toMap(name -> name, name -> HEADER.get("HF_" + name)));
    }

    private static <E extends Enum<E>> Map<String, Integer> codes(Class<E> type, String prefix, ToIntFunction<E> code) {
        Map<String, Integer> codes = new HashMap<>();
        for (E constant : type.getEnumConstants()) {
            codes.put(prefix + constant.name(), code.applyAsInt(constant));
        }
        return codes;
    }

    @Test
    void divergencesHaveTheHeadersCodes() {
        assertThat(codes(Divergence.class, "", Divergence::code))
                .isEqualTo(headersOf("FORWARD_KL", "REVERSE_KL", "JSD"));
    }

    @Test
    void interpolationsHaveTheHeadersCodes() {
        assertThat(codes(Interpolation.class, "INTERPOLATION_", Interpolation::code))
                .isEqualTo(headersOf("INTERPOLATION_LOGIT", "INTERPOLATION_PROBABILITY"));
    }

    @Test
    void labelWeightingsHaveTheHeadersCodes() {
        assertThat(codes(LabelWeighting.class, "LABEL_WEIGHTING_", LabelWeighting::code))
                .isEqualTo(headersOf("LABEL_WEIGHTING_NONE", "LABEL_WEIGHTING_DFT"));
    }

    @Test
    void backendsHaveTheHeadersCodes() {
        assertThat(codes(AnchorLossKernel.Backend.class, "BACKEND_", AnchorLossKernel.Backend::code))
                .isEqualTo(headersOf("BACKEND_REFERENCE", "BACKEND_CPU", "BACKEND_CUDA"));
    }

    @Test
    void statisticsHaveTheHeadersColumns() {
        String[] names =
                Arrays.stream(LossStatistic.values()).map(LossStatistic::name).toArray(String[]::new);
        assertThat(codes(LossStatistic.class, "", LossStatistic::column)).isEqualTo(headersOf(names));
        assertThat(names).hasSize(HEADER.get("HF_STATISTICS_COUNT"));
        assertThat(LossStatistic.COUNT).isEqualTo(HEADER.get("HF_STATISTICS_COUNT"));
    }

    @Test
    void elementTypesHaveTheHeadersCodes() {
        assertThat(ElementType.FLOAT.onnxCode())
                .isEqualTo(AnchorLossKernel.FLOAT)
                .isEqualTo(HEADER.get("HF_FLOAT"));
        assertThat(ElementType.FLOAT16.onnxCode()).isEqualTo(HEADER.get("HF_FLOAT16"));
        assertThat(ElementType.BFLOAT16.onnxCode()).isEqualTo(HEADER.get("HF_BFLOAT16"));
    }

    @Test
    void gradientModesStatusesAndTheIgnoredLabelAreTheHeaders() {
        assertThat(AnchorLossKernel.GRADIENT_NONE).isEqualTo(HEADER.get("HF_GRADIENT_NONE"));
        assertThat(codes(GradientMode.class, "GRADIENT_", GradientMode::code))
                .isEqualTo(headersOf("GRADIENT_OVERWRITE", "GRADIENT_ACCUMULATE"));
        assertThat(NativeStatus.OK).isEqualTo(HEADER.get("HF_OK"));
        assertThat(NativeStatus.INVALID_ARGUMENT).isEqualTo(HEADER.get("HF_INVALID_ARGUMENT"));
        assertThat(NativeStatus.DEVICE_FAILURE).isEqualTo(HEADER.get("HF_DEVICE_FAILURE"));
        assertThat(AnchorLossKernel.GRADIENT_OVERWRITE).isEqualTo(HEADER.get("HF_GRADIENT_OVERWRITE"));
        assertThat(AnchorLossKernel.GRADIENT_ACCUMULATE).isEqualTo(HEADER.get("HF_GRADIENT_ACCUMULATE"));
        assertThat(AnchorLossInputs.IGNORE_INDEX).isEqualTo((long) HEADER.get("HF_IGNORE_INDEX"));
    }

    @Test
    void formsOfTheAnchorHaveTheHeadersCodes() {
        HostTensor matrix = HostTensor.ofFloats(new float[] {0}, 1, 1);
        LinearLogits side = new LinearLogits(matrix, matrix);
        assertThat(LinearAnchor.none().form()).isEqualTo(LINEAR.get("HF_ANCHOR_SIDES"));
        assertThat(new LinearAnchor.Mixed(Optional.empty(), side).form()).isEqualTo(LINEAR.get("HF_ANCHOR_MIXED"));
        assertThat(new LinearAnchor.Hidden(side).form()).isEqualTo(LINEAR.get("HF_ANCHOR_HIDDEN"));
        assertThat(new LinearAnchor.Mean(matrix, HostTensor.ofFloats(new float[] {0}, 1)).form())
                .isEqualTo(LINEAR.get("HF_ANCHOR_MEAN"));
    }
}
