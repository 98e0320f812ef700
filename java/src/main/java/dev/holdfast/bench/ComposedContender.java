package dev.holdfast.bench;

import dev.holdfast.config.Divergence;
import dev.holdfast.config.Interpolation;
import dev.holdfast.loss.AnchorLossInputs;
import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.ModelFile;
import dev.holdfast.onnx.OperatorName;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import dev.holdfast.runtime.InferenceSession;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * The loss and its gradient as a graph of operators that every ONNX Runtime has: what a user without a fused operator would write. FLOAT
 * alone, for ONNX Runtime's CPU kernels have no half types.
 */
final class ComposedContender extends HostContender {
    private static final String STUDENT = "student";
    private static final String SNAPSHOT = "snapshot";
    private static final String REFERENCE = "reference";
    private static final List<String> OUTPUTS = List.of("token_loss", "gradient");

    private final InferenceSession session;
    private final int threads;

    ComposedContender(KernelCase kernelCase, KernelInputs inputs, int threads) {
        super(inputs);
        this.threads = threads;
        SessionSettings settings = SessionSettings.defaults().withIntraOpThreads(threads);
        byte[] model = ModelFile.toBytes(new Composition(kernelCase).graph());
        this.session = InferenceSession.open("composed loss", model, Path.of("."), settings);
    }

    static boolean supports(ElementType type) {
        return type == ElementType.FLOAT;
    }

    @Override
    public String implementation() {
        return "onnxruntime-composed";
    }

    @Override
    public String backend() {
        return "cpu";
    }

    @Override
    public String instructionSet() {
        return "";
    }

    @Override
    public OptionalInt threads() {
        return OptionalInt.of(threads);
    }

    @Override
    void run(AnchorLossInputs inputs) {
        compute(inputs);
    }

    /** FLOAT[N, 1] {@code token_loss} and FLOAT[N, V] {@code gradient} of its mean. */
    Map<String, HostTensor> compute(AnchorLossInputs inputs) {
        Map<String, HostTensor> given = Map.of(
                STUDENT, inputs.student(),
                SNAPSHOT, inputs.snapshot().orElseThrow(),
                REFERENCE, inputs.reference().orElseThrow());
        return session.run(given, OUTPUTS);
    }

    @Override
    public void close() {
        session.close();
    }

    /** The graph while it is built: [N, V] logits in, FLOAT[N, 1] losses and FLOAT[N, V] gradients of their mean out. */
    private static final class Composition {
        private final KernelCase kernelCase;
        private final Graph graph = new Graph("composed");
        private final Operators operators = Operators.on(graph);
        private final TensorType type;

        Composition(KernelCase kernelCase) {
            this.kernelCase = kernelCase;
            this.type = TensorType.of(ElementType.FLOAT, kernelCase.rows(), kernelCase.vocabulary());
        }

        Graph graph() {
            Value logP = logSoftmax(graph.input(STUDENT, type));
            Value logQ = logAnchor(graph.input(SNAPSHOT, type), graph.input(REFERENCE, type));
            Value p = exp(logP);
            Value q = exp(logQ);
            if (kernelCase.divergence() == Divergence.FORWARD_KL) {
                finish(divergence(q, logQ, logP), operators.sub(p, q));
            } else if (kernelCase.divergence() == Divergence.REVERSE_KL) {
                Value loss = divergence(p, logP, logQ);
                finish(loss, centred(p, logP, logQ, loss));
            } else {
                jensenShannon(p, q, logP, logQ);
            }
            return graph;
        }

        private void jensenShannon(Value p, Value q, Value logP, Value logQ) {
            Value beta = operators.floatScalar(KernelCase.BETA);
            Value rest = operators.floatScalar(1 - KernelCase.BETA);
            Value logM = log(operators.add(operators.mul(beta, q), operators.mul(rest, p)));
            Value own = divergence(p, logP, logM);
            Value loss = operators.add(operators.mul(beta, divergence(q, logQ, logM)), operators.mul(rest, own));
            finish(loss, operators.mul(rest, centred(p, logP, logM, own)));
        }

        private Value logAnchor(Value snapshot, Value reference) {
            Value alpha = operators.floatScalar(KernelCase.ALPHA);
            if (kernelCase.interpolation() == Interpolation.LOGIT) {
                return logSoftmax(mixed(snapshot, reference, alpha));
            }
            return log(mixed(operators.softmax(snapshot), operators.softmax(reference), alpha));
        }

        /** c + α (r − c) */
        private Value mixed(Value snapshot, Value reference, Value alpha) {
            return operators.add(snapshot, operators.mul(alpha, operators.sub(reference, snapshot)));
        }

        /** KL(a ‖ b) of every row. */
        private Value divergence(Value a, Value logA, Value logB) {
            return operators.reduceSum(operators.mul(a, operators.sub(logA, logB)), true, 1);
        }

        /** p (log p − log b − mean) */
        private Value centred(Value p, Value logP, Value logB, Value mean) {
            return operators.mul(p, operators.sub(operators.sub(logP, logB), mean));
        }

        private void finish(Value loss, Value gradient) {
            Value weight = operators.floatScalar(1f / kernelCase.rows());
            graph.output(named(OUTPUTS.get(0), "Identity", loss));
            graph.output(named(OUTPUTS.get(1), "Identity", operators.mul(gradient, weight)));
        }

        private Value logSoftmax(Value value) {
            return named(graph.freshName("LogSoftmax"), "LogSoftmax", value);
        }

        private Value exp(Value value) {
            return named(graph.freshName("Exp"), "Exp", value);
        }

        private Value log(Value value) {
            return named(graph.freshName("Log"), "Log", value);
        }

        private Value named(String name, String operator, Value value) {
            OperatorName stock = new OperatorName("", operator);
            return graph.addTyped(stock, List.of(value), Attributes.NONE, List.of(name), List.of(value.type()))
                    .output();
        }
    }
}
