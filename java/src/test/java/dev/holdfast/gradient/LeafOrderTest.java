package dev.holdfast.gradient;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.Kernels;
import dev.holdfast.onnx.ModelFile;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import dev.holdfast.runtime.InferenceSession;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The documented order of leaves is the one in which ONNX Runtime frees each layer's buffers before it begins the layer below. */
class LeafOrderTest {
    private static final int LAYERS = 4;
    private static final int WIDTH = 3;

    @TempDir
    private Path folder;

    @Test
    void gradientsAreConsumedLayerByLayerWhenLeavesAreInReverseOrder() throws IOException {
        Graph graph = new Graph("layers");
        Map<Value, Value> gradients = differentiate(graph);
        List<Value> leaves = new ArrayList<>(gradients.keySet());
        Collections.reverse(leaves);
        leaves.forEach(parameter -> consume(graph, parameter, gradients.get(parameter)));

        List<String> products = executed(graph).stream()
                .filter(name -> name.startsWith("gradient/") && name.endsWith("_kernel_time"))
                .map(name -> name.split("/")[1])
                .toList();
        assertThat(products).containsExactly("layer3", "layer3", "layer2", "layer2", "layer1", "layer1", "layer0");
    }

    private static Map<Value, Value> differentiate(Graph graph) {
        Value x = graph.input("x", TensorType.of(ElementType.FLOAT, 2, WIDTH));
        List<Value> weights = new ArrayList<>();
        for (int layer = 0; layer < LAYERS; layer++) {
            weights.add(graph.input("weight" + layer, TensorType.of(ElementType.FLOAT, WIDTH, WIDTH)));
            x = Operators.on(graph).in("layer" + layer).gemm(x, false, weights.get(layer), true, null);
        }
        return Gradients.append(graph, Map.of(x, graph.input("seed", x.type())), weights, Kernels.STOCK);
    }

    private static void consume(Graph graph, Value parameter, Value gradient) {
        Value buffer = graph.input(parameter.name() + " buffer", parameter.type());
        graph.output(Operators.on(graph).add(Operator.IN_PLACE_ACCUMULATOR, Attributes.NONE, buffer, gradient));
    }

    private List<String> executed(Graph graph) throws IOException {
        SessionSettings settings =
                SessionSettings.defaults().withIntraOpThreads(1).withProfilePrefix(folder.resolve("profile"));
        try (InferenceSession session = InferenceSession.open("layers", ModelFile.toBytes(graph), folder, settings)) {
            Map<String, HostTensor> feeds = new LinkedHashMap<>();
            graph.inputs()
                    .forEach(value -> feeds.put(
                            value.name(),
                            HostTensor.allocate(ElementType.FLOAT, Shape.of(GradientCase.sizes(value.type())))));
            session.run(feeds, graph.outputs().stream().map(Value::name).toList());
            List<String> names = new ArrayList<>();
            for (JsonNode event :
                    new ObjectMapper().readTree(session.endProfiling().toFile())) {
                names.add(event.path("name").asText());
            }
            return names;
        }
    }
}
