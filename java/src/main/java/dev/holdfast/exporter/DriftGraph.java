package dev.holdfast.exporter;

import dev.holdfast.artifact.GraphNames;
import dev.holdfast.model.Decoder;
import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import dev.holdfast.tensor.ElementType;
import java.util.Arrays;
import java.util.List;

/** Builds the graph that compares three models by their hidden states and heads; it fits any model, for it has no weights. */
final class DriftGraph {
    private DriftGraph() {}

    static Graph graph() {
        Graph graph = new Graph("drift");
        Value student = logits(graph, GraphNames.STUDENT_HIDDEN, GraphNames.STUDENT_HEAD, "V", "H");
        Value snapshot = logits(graph, GraphNames.SNAPSHOT_HIDDEN, GraphNames.SNAPSHOT_HEAD, "W", "S");
        Value reference = logits(graph, GraphNames.REFERENCE_HIDDEN, GraphNames.REFERENCE_HEAD, "U", "R");
        List<Value> inputs = List.of(
                student,
                snapshot,
                reference,
                graph.input(GraphNames.LABELS, TensorType.of(ElementType.INT64, "N")),
                graph.input(GraphNames.WEIGHTS, TensorType.of(ElementType.FLOAT, "N")),
                graph.input(GraphNames.ALPHAS, TensorType.of(ElementType.FLOAT, "N")),
                graph.input(GraphNames.LOSS_COEFFICIENTS, TensorType.of(ElementType.FLOAT, 4)),
                graph.input(GraphNames.LOSS_MODES, TensorType.of(ElementType.INT64, 3)));
        List<String> outputs = Arrays.asList(GraphNames.LOSS, null, GraphNames.TOKEN_LOSS, GraphNames.STATISTICS);
        graph.output(graph.add(Operator.ANCHOR_LOSS, inputs, Attributes.NONE, outputs)
                .output(3));
        return graph;
    }

    private static Value logits(Graph graph, String hidden, String head, String vocabulary, String width) {
        return Decoder.logits(
                Operators.on(graph).in(hidden),
                graph.input(hidden, TensorType.of(ElementType.FLOAT, "N", width)),
                graph.input(head, TensorType.of(ElementType.FLOAT, vocabulary, width)));
    }
}
