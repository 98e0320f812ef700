package dev.holdfast.exporter;

import dev.holdfast.artifact.GraphNames;
import dev.holdfast.model.CachedSequence;
import dev.holdfast.model.Decoder;
import dev.holdfast.model.DecoderWeights;
import dev.holdfast.model.FullSequence;
import dev.holdfast.model.LowRankAdapters;
import dev.holdfast.model.LowRankBranch;
import dev.holdfast.model.Parameter;
import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Dimension;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Builds graphs without a loss, of stock operators, whose weights are initializers: what plain ONNX Runtime loads. */
final class ForwardGraph {
    /** The dimension of adapters that are given to a run: any, and 0 where none are given. */
    private static final Dimension RANK = Dimension.of("lora_r");

    private final Decoder decoder;
    private final Graph graph;
    private final Operators operators;
    private final DecoderWeights weights;

    private ForwardGraph(String name, ExportedModel model, Function<String, StoredWeight> stored) {
        this.decoder = model.decoder();
        this.graph = new Graph(name);
        this.operators = Operators.on(graph);
        model.parameters().forEach(parameter -> stored.apply(parameter.name()).addTo(graph, parameter));
        this.weights = model.adapters()
                .map(adapters -> DecoderWeights.of(graph::value, LowRankBranch.of(adapters, Optional.empty())))
                .orElseGet(() -> DecoderWeights.of(graph::value));
    }

    private ForwardGraph(String name, Decoder decoder, LowRankAdapters inputs, Function<String, StoredWeight> stored) {
        this.decoder = decoder;
        this.graph = new Graph(name);
        this.operators = Operators.on(graph);
        decoder.parameters().forEach(parameter -> stored.apply(parameter.name()).addTo(graph, parameter));
        inputs.layers().forEach(layer -> {
            optional(inputs.down(layer), RANK, Dimension.of(layer.inputSize()));
            optional(inputs.up(layer), Dimension.of(layer.outputSize()), RANK);
        });
        this.weights = DecoderWeights.of(graph::value, new LowRankBranch(inputs, 1, Optional.empty()));
    }

    private void optional(Parameter parameter, Dimension rows, Dimension columns) {
        Shape empty = Shape.of(rows.isFixed() ? rows.size() : 0, columns.isFixed() ? columns.size() : 0);
        graph.optionalInput(
                parameter.name(),
                TensorType.of(ElementType.FLOAT, rows, columns),
                HostTensor.allocate(ElementType.FLOAT, empty));
    }

    /** {@code input_ids} → {@code hidden_states} [B, T, H] and {@code logits} [B, T, V] of every token. */
    static Graph forward(ExportedModel model, Function<String, StoredWeight> stored) {
        return new ForwardGraph("forward", model, stored).forward();
    }

    /** {@code input_ids} and {@code response_positions} → {@code hidden_states} [N, H] at those positions. */
    static Graph hidden(ExportedModel model, Function<String, StoredWeight> stored) {
        return new ForwardGraph("hidden", model, stored).hidden();
    }

    /** The decoder with a cache of keys and values, with the inputs and outputs that onnxruntime-genai expects. */
    static Graph cached(Decoder decoder, Function<String, StoredWeight> stored) {
        return new ForwardGraph("decoder", ExportedModel.of(decoder), stored).cached();
    }

    /** As above, with adapters as optional inputs of any rank, whose scale is in their B. */
    static Graph adaptable(Decoder decoder, LowRankAdapters inputs, Function<String, StoredWeight> stored) {
        return new ForwardGraph("decoder", decoder, inputs, stored).cached();
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
        Value hidden = decoder.hiddenStates(operators, weights, sequence);
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
        return decoder.hiddenStates(operators, weights, sequence);
    }

    private Value logits(Value hidden) {
        return Decoder.logits(operators.in("head"), hidden, weights.value(decoder.headName()));
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
