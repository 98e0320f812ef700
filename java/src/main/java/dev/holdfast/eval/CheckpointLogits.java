package dev.holdfast.eval;

import dev.holdfast.artifact.CheckpointBinding;
import dev.holdfast.artifact.GraphNames;
import dev.holdfast.artifact.Manifest;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.ModelFile;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import dev.holdfast.runtime.InferenceSession;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * The logits of an artifact or of a run's checkpoint: hidden states at the response positions alone, then the head on some of them at a
 * time, which bounds the memory for the logits.
 */
final class CheckpointLogits implements ResponseLogits {
    private static final int ROWS = 128;

    private final ModelFolder folder;
    private final InferenceSession hidden;
    private final InferenceSession head;

    private CheckpointLogits(ModelFolder folder, InferenceSession hidden, InferenceSession head) {
        this.folder = folder;
        this.hidden = hidden;
        this.head = head;
    }

    static CheckpointLogits open(ModelFolder folder, SessionSettings settings) {
        byte[] headModel = ModelFile.toBytes(head(folder));
        InferenceSession hidden = InferenceSession.open(folder.hiddenModel(), settings);
        try {
            return new CheckpointLogits(
                    folder,
                    hidden,
                    InferenceSession.open(folder.path() + ": head", headModel, folder.path(), settings));
        } catch (RuntimeException e) {
            hidden.close();
            throw e;
        }
    }

    /** {@code hidden_states} [N, H] → {@code logits} [N, V]. */
    private static Graph head(ModelFolder folder) {
        Manifest.Model model = folder.model();
        Graph graph = new Graph("head");
        Value hidden = graph.input(GraphNames.HIDDEN_STATES, TensorType.of(ElementType.FLOAT, "N", model.hiddenSize()));
        Value weights = graph.initializer(
                model.head(),
                TensorType.of(ElementType.FLOAT, model.vocabularySize(), model.hiddenSize()),
                CheckpointBinding.locate(folder.checkpoint(), model.head()));
        graph.output(graph.add(
                        Operator.GEMM, List.of(hidden, weights), Attributes.of("transB", 1), List.of(GraphNames.LOGITS))
                .output());
        return graph;
    }

    @Override
    public Path tokenizer() {
        return folder.tokenizer();
    }

    @Override
    public int vocabularySize() {
        return folder.model().vocabularySize();
    }

    @Override
    public int maximumPositions() {
        return folder.model().maximumPositions();
    }

    @Override
    public void visit(int[] ids, int[] indices, Visitor visitor) {
        HostTensor states = hiddenStates(ids, indices);
        int width = folder.model().hiddenSize();
        for (int start = 0; start < indices.length; start += ROWS) {
            int rows = Math.min(ROWS, indices.length - start);
            HostTensor logits = logits(states.floats().slice(start * width, rows * width), rows, width);
            for (int row = 0; row < rows; row++) {
                visitor.visit(indices[start + row], logits.floats().slice(row * vocabularySize(), vocabularySize()));
            }
        }
    }

    private HostTensor hiddenStates(int[] ids, int[] indices) {
        long[] positions = Arrays.stream(indices).mapToLong(index -> index - 1).toArray();
        Map<String, HostTensor> inputs = Map.of(
                GraphNames.INPUT_IDS,
                        HostTensor.ofLongs(Arrays.stream(ids).asLongStream().toArray(), 1, ids.length),
                GraphNames.RESPONSE_POSITIONS, HostTensor.ofLongs(positions, positions.length));
        return hidden.run(inputs, List.of(GraphNames.HIDDEN_STATES)).get(GraphNames.HIDDEN_STATES);
    }

    private HostTensor logits(FloatBuffer states, int rows, int width) {
        HostTensor input = HostTensor.allocate(ElementType.FLOAT, Shape.of(rows, width));
        input.floats().put(states);
        return head.run(Map.of(GraphNames.HIDDEN_STATES, input), List.of(GraphNames.LOGITS))
                .get(GraphNames.LOGITS);
    }

    @Override
    public void close() {
        head.close();
        hidden.close();
    }
}
