package dev.holdfast.loss;

import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.natives.OperatorRun;
import dev.holdfast.tensor.HostTensor;
import java.util.Map;
import java.util.Optional;

/** The contract, held by the operator under ONNX Runtime. */
class OperatorAnchorLossTest extends AnchorLossContract {

    OperatorRun operator() {
        return new OperatorRun("AnchorLoss");
    }

    @Override
    AnchorLossResult compute(AnchorLossInputs inputs, AnchorLossOptions options) {
        Map<String, HostTensor> result = operator()
                .input("student_logits", inputs.student())
                .input("snapshot_logits", inputs.snapshot().orElse(null))
                .input("reference_logits", inputs.reference().orElse(null))
                .input("labels", inputs.labels())
                .input("weights", inputs.weights())
                .input("alphas", inputs.alphas().orElse(null))
                .input("coefficients", coefficients(options))
                .input("modes", modes(options))
                .output("loss")
                .output("student_gradient")
                .output("token_loss")
                .output("statistics")
                .run();
        return new AnchorLossResult(
                result.get("loss").floats().get(0),
                result.get("token_loss"),
                result.get("statistics"),
                Optional.of(result.get("student_gradient")));
    }

    static HostTensor coefficients(AnchorLossOptions options) {
        float[] values = {options.temperature(), options.kdWeight(), options.ceWeight(), options.beta()};
        return HostTensor.ofFloats(values, 4);
    }

    static HostTensor modes(AnchorLossOptions options) {
        long[] values = {
            options.divergence().code(),
            options.interpolation().code(),
            options.labelWeighting().code()
        };
        return HostTensor.ofLongs(values, 3);
    }

    @Override
    String refusal(AnchorLossInputs inputs, AnchorLossOptions options) {
        return catchThrowable(() -> compute(inputs, options)).getMessage();
    }
}
