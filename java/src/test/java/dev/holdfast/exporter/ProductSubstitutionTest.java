package dev.holdfast.exporter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.holdfast.artifact.GraphNames;
import dev.holdfast.onnx.ModelFile;
import dev.holdfast.onnx.ProductSubstitution;
import dev.holdfast.runtime.InferenceSession;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.weights.OrtCheckpoint;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Frozen models with our products against the same models as they are deployed. */
class ProductSubstitutionTest {
    /** Two float32 computations of hidden states of size 1 through two layers; the project's target for log-probabilities. */
    private static final double TOLERANCE = 1e-4;

    static Stream<String> families() {
        return GoldenFamily.names();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("families")
    void givesTheSameHiddenStatesWithoutAGemm(String name, @TempDir Path directory) throws Exception {
        GoldenFamily family = new GoldenFamily(name, directory);
        OrtCheckpoint checkpoint = OrtCheckpoint.read(family.base());
        Path model = directory.resolve("hidden.onnx");
        ModelFile.write(
                ForwardGraph.hidden(
                        ExportedModel.of(family.decoder()), parameter -> StoredWeight.in(checkpoint, parameter)),
                model);

        byte[] substituted = ProductSubstitution.of(model);

        List<String> operators = ModelProto.parseFrom(substituted).getGraph().getNodeList().stream()
                .map(NodeProto::getOpType)
                .toList();
        assertThat(operators).doesNotContain("Gemm").contains("MatrixProduct");
        try (InferenceSession plain = InferenceSession.open(model, GoldenFamily.SETTINGS);
                InferenceSession ours =
                        InferenceSession.open("substituted", substituted, directory, GoldenFamily.SETTINGS)) {
            float[] expected = hidden(plain, family);
            float[] got = hidden(ours, family);
            for (int i = 0; i < expected.length; i++) {
                assertThat((double) got[i]).isCloseTo(expected[i], within(TOLERANCE));
            }
        }
    }

    private static float[] hidden(InferenceSession session, GoldenFamily family) {
        Map<String, HostTensor> batch = family.batch("", 1, 0, 1, 0);
        Map<String, HostTensor> given = Map.of(
                GraphNames.INPUT_IDS, batch.get(GraphNames.INPUT_IDS),
                GraphNames.RESPONSE_POSITIONS, batch.get(GraphNames.RESPONSE_POSITIONS));
        return session.run(given, List.of(GraphNames.HIDDEN_STATES))
                .get(GraphNames.HIDDEN_STATES)
                .toFloatArray();
    }
}
