package dev.holdfast.loss;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.config.Divergence;
import dev.holdfast.config.Interpolation;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToIntFunction;

/** A file of {@code golden/loss}: inputs and, per case, what PyTorch computes of them in double precision. */
record GoldenLoss(String name, AnchorLossInputs inputs, List<Case> cases) {
    static final List<String> FILES = List.of(
            "forward_kl_logit",
            "forward_kl_probability",
            "reverse_kl_logit",
            "reverse_kl_probability",
            "jsd_logit",
            "jsd_probability",
            "labels_only",
            "current_snapshot",
            "narrow_anchor",
            "narrow_student");

    /**
     * One computation.
     *
     * @param ordinaryError [N, 2]: how far float32 PyTorch is from the truth in token loss and gradient
     */
    record Case(
            AnchorLossOptions options,
            double loss,
            double[] tokenLoss,
            double[] gradient,
            double[] statistics,
            double[] ordinaryError) {}

    static GoldenLoss read(String name) {
        Map<String, HostTensor> tensors = tensors("/golden/loss/" + name + ".safetensors");
        AnchorLossInputs inputs = new AnchorLossInputs(
                tensors.get("student_logits"),
                Optional.ofNullable(tensors.get("snapshot_logits")),
                Optional.ofNullable(tensors.get("reference_logits")),
                tensors.get("labels"),
                tensors.get("weights"),
                Optional.ofNullable(tensors.get("alphas")));
        List<Case> cases = new ArrayList<>();
        for (int i = 0; tensors.containsKey("case" + i + ".modes"); i++) {
            cases.add(read(tensors, "case" + i + "."));
        }
        return new GoldenLoss(name, inputs, cases);
    }

    private static <E> E withCode(E[] constants, ToIntFunction<E> codeOf, long code) {
        return Arrays.stream(constants)
                .filter(constant -> codeOf.applyAsInt(constant) == code)
                .findFirst()
                .orElseThrow();
    }

    private static Case read(Map<String, HostTensor> tensors, String prefix) {
        float[] coefficients = tensors.get(prefix + "coefficients").toFloatArray();
        long[] modes = tensors.get(prefix + "modes").toLongArray();
        AnchorLossOptions options = new AnchorLossOptions(
                withCode(Divergence.values(), Divergence::code, modes[0]),
                withCode(Interpolation.values(), Interpolation::code, modes[1]),
                withCode(LabelWeighting.values(), LabelWeighting::code, modes[2]),
                coefficients[0],
                coefficients[1],
                coefficients[2],
                coefficients[3]);
        return new Case(
                options,
                doubles(tensors.get(prefix + "loss"))[0],
                doubles(tensors.get(prefix + "token_loss")),
                doubles(tensors.get(prefix + "gradient")),
                doubles(tensors.get(prefix + "statistics")),
                doubles(tensors.get(prefix + "float32_error")));
    }

    private static double[] doubles(HostTensor tensor) {
        double[] values = new double[tensor.elementCount()];
        tensor.bytes().asDoubleBuffer().get(values);
        return values;
    }

    private static Map<String, HostTensor> tensors(String resource) {
        try (InputStream in = GoldenLoss.class.getResourceAsStream(resource)) {
            ByteBuffer file = ByteBuffer.wrap(in.readAllBytes()).order(ByteOrder.LITTLE_ENDIAN);
            int headerSize = (int) file.getLong();
            JsonNode header = new ObjectMapper()
                    .readTree(new String(file.array(), 8, headerSize, java.nio.charset.StandardCharsets.UTF_8));
            Map<String, HostTensor> tensors = new HashMap<>();
            header.fields().forEachRemaining(entry -> {
                if (!entry.getKey().equals("__metadata__")) {
                    tensors.put(entry.getKey(), tensor(entry.getValue(), file, 8 + headerSize));
                }
            });
            return tensors;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static HostTensor tensor(JsonNode entry, ByteBuffer file, int dataStart) {
        ElementType type =
                switch (entry.get("dtype").asText()) {
                    case "F32" -> ElementType.FLOAT;
                    case "F64" -> ElementType.DOUBLE;
                    case "I64" -> ElementType.INT64;
                    default -> throw new IllegalArgumentException(entry.toString());
                };
        long[] shape = new long[entry.get("shape").size()];
        for (int axis = 0; axis < shape.length; axis++) {
            shape[axis] = entry.get("shape").get(axis).asLong();
        }
        HostTensor tensor = HostTensor.allocate(type, Shape.of(shape));
        tensor.bytes()
                .put(file.slice(dataStart + entry.get("data_offsets").get(0).asInt(), tensor.sizeBytes()));
        return tensor;
    }
}
