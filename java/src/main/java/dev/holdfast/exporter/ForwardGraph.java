package dev.holdfast.exporter;

import dev.holdfast.artifact.GraphNames;
import dev.holdfast.model.CachedSequence;
import dev.holdfast.model.Decoder;
import dev.holdfast.model.FullSequence;
import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Dimension;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.Initializer;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import dev.holdfast.tensor.ElementType;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Builds graphs without a loss, of stock operators, whose weights are initializers: what plain ONNX Runtime loads. */
final class ForwardGraph {
    private final Decoder decoder;
    private final Graph graph;
    private final Operators operators;
    private final Map<String, Value> parameters;

    private ForwardGraph(String name, Decoder decoder, Function<String, Initializer.External> weights) {
        this.decoder = decoder;
        this.graph = new Graph(name);
        this.operators = Operators.on(graph);
        this.parameters = decoder.parameters().stream()
                .collect(Collectors.toMap(
                        parameter -> parameter.name(),
                        parameter -> graph.initializer(
                                parameter.name(),
                                TensorType.of(ElementType.FLOAT, parameter.shape()),
                                weights.apply(parameter.name()))));
    }

    /** {@code input_ids} → {@code hidden_states} [B, T, H] and {@code logits} [B, T, V] of every token. */
    static Graph forward(Decoder decoder, Function<String, Initializer.External> weights) {
        return new ForwardGraph("forward", decoder, weights).forward();
    }

    /** {@code input_ids} and {@code response_positions} → {@code hidden_states} [N, H] at those positions. */
    static Graph hidden(Decoder decoder, Function<String, Initializer.External> weights) {
        return new ForwardGraph("hidden", decoder, weights).hidden();
    }

    /** The decoder with a cache of keys and values, with the inputs and outputs that onnxruntime-genai expects. */
    static Graph cached(Decoder decoder, Function<String, Initializer.External> weights) {
        return new ForwardGraph("decoder", decoder, weights).cached();
    }

    private Graph forward() {
        Value inputIds = inputIds();
        Value hidden = hiddenStates(inputIds);
        Value shape = operators.shape(inputIds);
        graph.output(sequences(GraphNames.HIDDEN_STATES, hidden, inputIds, shape));
        graph.output(sequences(GraphNames.LOGITS, logits(hidden), inputIds, shape));
        return graph;
    }

    private Graph hidden() {
        Value inputIds = inputIds();
        Value positions = graph.input(GraphNames.RESPONSE_POSITIONS, TensorType.of(ElementType.INT64, "N"));
        List<Value> inputs = List.of(hiddenStates(inputIds), positions);
        graph.output(graph.add(Operator.GATHER, inputs, Attributes.of("axis", 0), List.of(GraphNames.HIDDEN_STATES))
                .output());
        return graph;
    }

    private Graph cached() {
        CachedSequence sequence = new CachedSequence(operators, decoder.config());
        Value hidden = decoder.hiddenStates(operators, parameters::get, sequence);
        Value inputIds = sequence.inputIds();
        graph.output(sequences(GraphNames.LOGITS, logits(hidden), inputIds, operators.shape(inputIds)));
        sequence.presents().forEach(graph::output);
        return graph;
    }

    private Value inputIds() {
        return graph.input(GraphNames.INPUT_IDS, TensorType.of(ElementType.INT64, "B", "T"));
    }

    private Value hiddenStates(Value inputIds) {
        FullSequence sequence = new FullSequence(operators, decoder.config(), inputIds);
        return decoder.hiddenStates(operators, parameters::get, sequence);
    }

    private Value logits(Value hidden) {
        return Decoder.logits(operators.in("head"), hidden, parameters.get(decoder.headName()));
    }

    /** Rows [M, width] as sequences [B, T, width] under the name of an output. */
    private Value sequences(String name, Value rows, Value inputIds, Value leadingShape) {
        Dimension width = rows.type().dimension(-1);
        Value shape = operators.concat(0, leadingShape, operators.longs(width.size()));
        List<Dimension> dimensions =
                List.of(inputIds.type().dimension(0), inputIds.type().dimension(1), width);
        return graph.addTyped(
                        Operator.RESHAPE.operatorName(),
                        List.of(rows, shape),
                        Attributes.NONE,
                        List.of(name),
                        List.of(rows.type().withDimensions(dimensions)))
                .output();
    }
}
