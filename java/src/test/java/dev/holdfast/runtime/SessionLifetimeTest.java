package dev.holdfast.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import ai.onnx.proto.OnnxMl;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import dev.holdfast.weights.CheckpointWriter;
import dev.holdfast.weights.PendingTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sessions give back what they take. */
class SessionLifetimeTest {
    /** One parameter of 1 MiB: with its gradient and the optimizer's moments a session holds 4 MiB beside what ONNX Runtime itself needs. */
    private static final long PARAMETER_SIZE = 1 << 18;

    private static final int WARM_UP = 10;
    private static final int CYCLES = 40;

    @TempDir
    Path folder;

    /** loss = scale * sum(w), so the gradient of w is scale everywhere. */
    private TrainingFiles writeArtifact() throws IOException {
        OnnxMl.GraphProto.Builder graph = OnnxMl.GraphProto.newBuilder().setName("wide");
        graph.addInput(value("scale", 1, 1)).addInput(value("w", 1, PARAMETER_SIZE));
        graph.addInput(value("w_grad.accumulation.buffer", 1, PARAMETER_SIZE)).addInput(value("lazy_reset_grad", 9, 1));
        graph.addInitializer(OnnxMl.TensorProto.newBuilder()
                .setName("shape")
                .setDataType(7)
                .addDims(1)
                .addInt64Data(PARAMETER_SIZE));
        graph.addNode(node("ReduceSum", "", "total", "w"));
        graph.addNode(node("Mul", "", "loss", "total", "scale"));
        graph.addNode(node("Expand", "", "w_grad", "scale", "shape"));
        graph.addNode(node(
                "InPlaceAccumulatorV2",
                "com.microsoft",
                "w_grad.accumulation.out",
                "w_grad.accumulation.buffer",
                "w_grad",
                "lazy_reset_grad"));
        graph.addOutput(value("loss", 1, 1)).addOutput(value("w_grad.accumulation.out", 9, 1));
        OnnxMl.ModelProto model = OnnxMl.ModelProto.newBuilder()
                .setIrVersion(9)
                .addOpsetImport(
                        OnnxMl.OperatorSetIdProto.newBuilder().setDomain("").setVersion(20))
                .addOpsetImport(OnnxMl.OperatorSetIdProto.newBuilder()
                        .setDomain("com.microsoft")
                        .setVersion(1))
                .setGraph(graph)
                .build();
        Files.write(folder.resolve("training_model.onnx"), model.toByteArray());
        HostTensor parameter = HostTensor.allocate(ElementType.FLOAT, Shape.of(PARAMETER_SIZE));
        new CheckpointWriter().trainable(PendingTensor.of("w", parameter)).write(folder.resolve("checkpoint"));
        return new TrainingFiles(
                folder.resolve("checkpoint"),
                folder.resolve("training_model.onnx"),
                Optional.empty(),
                Optional.of(Goldens.artifact("classifier").resolve("optimizer_model.onnx")),
                List.of("w"));
    }

    private static OnnxMl.ValueInfoProto value(String name, int elementType, long size) {
        OnnxMl.TensorShapeProto shape = OnnxMl.TensorShapeProto.newBuilder()
                .addDim(OnnxMl.TensorShapeProto.Dimension.newBuilder().setDimValue(size))
                .build();
        OnnxMl.TypeProto.Tensor type = OnnxMl.TypeProto.Tensor.newBuilder()
                .setElemType(elementType)
                .setShape(shape)
                .build();
        return OnnxMl.ValueInfoProto.newBuilder()
                .setName(name)
                .setType(OnnxMl.TypeProto.newBuilder().setTensorType(type))
                .build();
    }

    private static OnnxMl.NodeProto node(String operator, String domain, String output, String... inputs) {
        return OnnxMl.NodeProto.newBuilder()
                .setOpType(operator)
                .setDomain(domain)
                .addOutput(output)
                .addAllInput(List.of(inputs))
                .build();
    }

    private static void openStepAndClose(TrainingFiles files) {
        try (TrainingSession session = TrainingSession.open(files, SessionSettings.defaults())) {
            session.setLearningRate(1e-3f);
            session.trainStep(Map.of("scale", HostTensor.ofFloats(new float[] {1}, 1)));
            session.optimizerStep();
        }
    }

    /** The bytes resident now; 0 where the system does not tell. */
    private static long residentBytes() throws IOException {
        Path status = Path.of("/proc/self/status");
        return Files.notExists(status)
                ? 0
                : Files.readAllLines(status).stream()
                        .filter(line -> line.startsWith("VmRSS:"))
                        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                        .findFirst()
                        .orElse(0);
    }

    @Test
    void openingAndClosingManyTimesDoesNotGrowTheProcess() throws IOException {
        assumeThat(residentBytes()).as("the system tells the resident memory").isPositive();
        TrainingFiles files = writeArtifact();
        for (int cycle = 0; cycle < WARM_UP; cycle++) {
            openStepAndClose(files);
        }
        long before = residentBytes();
        for (int cycle = 0; cycle < CYCLES; cycle++) {
            openStepAndClose(files);
        }
        // A session that stayed would cost 4 MiB, 160 in all; the Java heap's own growth stays far below the bound.
        assertThat(residentBytes() - before).isLessThan(80L << 20);
    }

    @Test
    void manySessionsMayBeOpenAtOnce() throws IOException {
        TrainingFiles files = writeArtifact();
        try (TrainingSession first = TrainingSession.open(files, SessionSettings.defaults());
                TrainingSession second = TrainingSession.open(files, SessionSettings.defaults())) {
            Map<String, HostTensor> input = Map.of("scale", HostTensor.ofFloats(new float[] {1}, 1));
            first.setLearningRate(1e-2f);
            first.trainStep(input);
            first.optimizerStep();
            assertThat(first.trainStep(input).loss()).isNotEqualTo(0);
            assertThat(second.trainStep(input).loss()).isEqualTo(0);
        }
    }
}
