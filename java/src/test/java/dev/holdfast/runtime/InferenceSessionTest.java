package dev.holdfast.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.RuntimeFailureException;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InferenceSessionTest {
    private static final SessionSettings SETTINGS = SessionSettings.defaults();

    @TempDir
    Path folder;

    /** past [1, past, 2] and token [1, 1, 2] FLOAT go in; present is their concatenation, total its sum, count its elements. */
    private static OnnxMl.ModelProto cacheModel() {
        OnnxMl.GraphProto.Builder graph = OnnxMl.GraphProto.newBuilder().setName("cache");
        graph.addInput(value("past", 1, "past")).addInput(value("token", 1, "one"));
        graph.addOutput(value("present", 1, "whole"));
        graph.addOutput(OnnxMl.ValueInfoProto.newBuilder().setName("doubled").setType(type(1, "one")));
        graph.addNode(OnnxMl.NodeProto.newBuilder()
                .setOpType("Concat")
                .addInput("past")
                .addInput("token")
                .addOutput("present")
                .addAttribute(OnnxMl.AttributeProto.newBuilder()
                        .setName("axis")
                        .setType(OnnxMl.AttributeProto.AttributeType.INT)
                        .setI(1)));
        graph.addNode(OnnxMl.NodeProto.newBuilder()
                .setOpType("Add")
                .addInput("token")
                .addInput("token")
                .addOutput("doubled"));
        return model(graph);
    }

    private static OnnxMl.ValueInfoProto value(String name, int elementType, String symbol) {
        return OnnxMl.ValueInfoProto.newBuilder()
                .setName(name)
                .setType(type(elementType, symbol))
                .build();
    }

    private static OnnxMl.TypeProto type(int elementType, String symbol) {
        OnnxMl.TensorShapeProto.Builder shape = OnnxMl.TensorShapeProto.newBuilder();
        shape.addDim(OnnxMl.TensorShapeProto.Dimension.newBuilder().setDimValue(1));
        shape.addDim(OnnxMl.TensorShapeProto.Dimension.newBuilder().setDimParam(symbol));
        shape.addDim(OnnxMl.TensorShapeProto.Dimension.newBuilder().setDimValue(2));
        return OnnxMl.TypeProto.newBuilder()
                .setTensorType(OnnxMl.TypeProto.Tensor.newBuilder()
                        .setElemType(elementType)
                        .setShape(shape))
                .build();
    }

    private static OnnxMl.ModelProto model(OnnxMl.GraphProto.Builder graph) {
        return OnnxMl.ModelProto.newBuilder()
                .setIrVersion(9)
                .addOpsetImport(
                        OnnxMl.OperatorSetIdProto.newBuilder().setDomain("").setVersion(20))
                .setGraph(graph)
                .build();
    }

    private InferenceSession open(OnnxMl.ModelProto model) {
        return InferenceSession.open("model", model.toByteArray(), folder, SETTINGS);
    }

    @Test
    void tellsInputsAndOutputs() {
        try (InferenceSession session = open(cacheModel())) {
            assertThat(session.inputs())
                    .extracting(ValueInfo::toString)
                    .containsExactly("past FLOAT[1, past, 2]", "token FLOAT[1, one, 2]");
            assertThat(session.outputs())
                    .extracting(ValueInfo::toString)
                    .containsExactly("present FLOAT[1, whole, 2]", "doubled FLOAT[1, one, 2]");
        }
    }

    @Test
    void returnsOutputsOfKnownAndOfUnknownShape() {
        try (InferenceSession session = open(cacheModel())) {
            Map<String, HostTensor> inputs = Map.of(
                    "past",
                    HostTensor.ofFloats(new float[] {1, 2}, 1, 1, 2),
                    "token",
                    HostTensor.ofFloats(new float[] {3, 4}, 1, 1, 2));
            Map<String, HostTensor> outputs = session.run(inputs, List.of("present", "doubled"));
            assertThat(outputs.keySet()).containsExactly("present", "doubled");
            assertThat(outputs.get("present").toFloatArray()).containsExactly(1, 2, 3, 4);
            assertThat(outputs.get("doubled").toFloatArray()).containsExactly(6, 8);
            assertThat(session.run(inputs, List.of("doubled"))).containsOnlyKeys("doubled");
        }
    }

    @Test
    void believesTheOutputRatherThanItsDeclaration() {
        OnnxMl.ModelProto.Builder model = cacheModel().toBuilder();
        model.getGraphBuilder().setOutput(0, value("present", 1, "past"));
        Map<String, HostTensor> inputs = Map.of(
                "past",
                HostTensor.ofFloats(new float[] {1, 2}, 1, 1, 2),
                "token",
                HostTensor.ofFloats(new float[] {3, 4}, 1, 1, 2));
        try (InferenceSession session = open(model.build())) {
            for (int round = 0; round < 2; round++) {
                assertThat(session.run(inputs, List.of("present"))
                                .get("present")
                                .toFloatArray())
                        .containsExactly(1, 2, 3, 4);
            }
        }
    }

    @Test
    void aCacheGrowsWithoutPassingThroughJava() {
        try (InferenceSession session = open(cacheModel())) {
            RuntimeTensor cache = RuntimeTensor.of(HostTensor.allocate(ElementType.FLOAT, Shape.of(1, 0, 2)));
            for (int step = 0; step < 5; step++) {
                try (RuntimeTensor token = RuntimeTensor.of(HostTensor.ofFloats(new float[] {step, -step}, 1, 1, 2))) {
                    RuntimeTensor grown = session.runKeeping(Map.of("past", cache, "token", token), List.of("present"))
                            .get("present");
                    cache.close();
                    cache = grown;
                }
            }
            assertThat(cache.shape()).isEqualTo(Shape.of(1, 5, 2));
            assertThat(cache.toHost().toFloatArray()).containsExactly(0, 0, 1, -1, 2, -2, 3, -3, 4, -4);
            cache.close();
            assertThatThrownBy(cache::toHost).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void keptTensorsOutliveTheSession() {
        RuntimeTensor present;
        try (InferenceSession session = open(cacheModel());
                RuntimeTensor past = RuntimeTensor.of(HostTensor.ofFloats(new float[] {1, 2}, 1, 1, 2))) {
            present = session.runKeeping(Map.of("past", past, "token", past), List.of("present"))
                    .get("present");
        }
        assertThat(present.toHost().toFloatArray()).containsExactly(1, 2, 1, 2);
        present.close();
    }

    @Test
    void refusesWrongInputsAndUnknownOutputs() {
        HostTensor token = HostTensor.ofFloats(new float[] {3, 4}, 1, 1, 2);
        try (InferenceSession session = open(cacheModel())) {
            assertThatThrownBy(() -> session.run(Map.of("token", token), List.of("present")))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessage("model: input past: expected FLOAT[1, past, 2], got none");
            assertThatThrownBy(() -> session.run(Map.of("past", token, "token", token), List.of("logits")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("[present, doubled]");
        }
    }

    @Test
    void refusesBytesThatAreNoModel() {
        assertThatThrownBy(() -> InferenceSession.open("bytes", new byte[] {1, 2, 3}, folder, SETTINGS))
                .isInstanceOf(RuntimeFailureException.class)
                .hasMessageStartingWith("bytes: ONNX Runtime: ");
    }

    /** One weight of 4096 floats that lies in another file at an offset that is no multiple of a page. */
    private OnnxMl.ModelProto externalModel(String location, long offset, long length) {
        OnnxMl.GraphProto.Builder graph = OnnxMl.GraphProto.newBuilder().setName("external");
        graph.addInput(vector("x", 4096)).addOutput(vector("y", 4096));
        graph.addNode(OnnxMl.NodeProto.newBuilder()
                .setOpType("Add")
                .addInput("x")
                .addInput("w")
                .addOutput("y"));
        OnnxMl.TensorProto.Builder weight = OnnxMl.TensorProto.newBuilder()
                .setName("w")
                .setDataType(1)
                .addDims(4096)
                .setDataLocation(OnnxMl.TensorProto.DataLocation.EXTERNAL);
        Map<String, String> entries = new HashMap<>();
        entries.put("location", location);
        entries.put("offset", Long.toString(offset));
        entries.put("length", Long.toString(length));
        entries.forEach((key, entry) -> weight.addExternalData(
                OnnxMl.StringStringEntryProto.newBuilder().setKey(key).setValue(entry)));
        return model(graph.addInitializer(weight));
    }

    private static OnnxMl.ValueInfoProto vector(String name, long size) {
        OnnxMl.TensorShapeProto shape = OnnxMl.TensorShapeProto.newBuilder()
                .addDim(OnnxMl.TensorShapeProto.Dimension.newBuilder().setDimValue(size))
                .build();
        OnnxMl.TypeProto.Tensor type = OnnxMl.TypeProto.Tensor.newBuilder()
                .setElemType(1)
                .setShape(shape)
                .build();
        return OnnxMl.ValueInfoProto.newBuilder()
                .setName(name)
                .setType(OnnxMl.TypeProto.newBuilder().setTensorType(type))
                .build();
    }

    private Path writeWeights(int offset) throws IOException {
        HostTensor weights = HostTensor.allocate(ElementType.FLOAT, Shape.of(4096));
        for (int i = 0; i < 4096; i++) {
            weights.floats().put(i, i);
        }
        byte[] bytes = new byte[offset + weights.sizeBytes()];
        weights.bytes().get(bytes, offset, weights.sizeBytes());
        Path file = folder.resolve("checkpoint");
        Files.write(file, bytes);
        return file;
    }

    private static void assertCounts(InferenceSession session) {
        float[] y = session.run(Map.of("x", HostTensor.allocate(ElementType.FLOAT, Shape.of(4096))), List.of("y"))
                .get("y")
                .toFloatArray();
        for (int i = 0; i < 4096; i++) {
            assertThat(y[i]).isEqualTo(i);
        }
    }

    @Test
    void weightsMayLieAnywhereInAnotherFile() throws IOException {
        writeWeights(52);
        OnnxMl.ModelProto model = externalModel("checkpoint", 52, 16384);
        Path file = folder.resolve("forward_model.onnx");
        Files.write(file, model.toByteArray());
        try (InferenceSession session = InferenceSession.open(file, SETTINGS)) {
            assertCounts(session);
        }
    }

    @Test
    void weightsOfAModelInMemoryAreFoundInTheGivenFolder() throws IOException {
        writeWeights(52);
        try (InferenceSession session = open(externalModel("checkpoint", 52, 16384))) {
            assertCounts(session);
        }
    }

    @Test
    void weightsBeyondTheEndOfTheirFileAreRefused() throws IOException {
        writeWeights(52);
        assertThatThrownBy(() -> open(externalModel("checkpoint", 56, 16384)))
                .isInstanceOf(RuntimeFailureException.class);
        assertThatThrownBy(() -> open(externalModel("absent", 0, 16384)))
                .isInstanceOf(RuntimeFailureException.class)
                .hasMessageContaining("absent");
    }
}
