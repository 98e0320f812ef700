package dev.holdfast.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OrtException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Messages as ONNX Runtime 1.24.1 gave them. */
class OrtFailureTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            Error code - ORT_FAIL - message: checkpoint.cc:867 ToCheckpointState Checkpoint verification failed. | Checkpoint verification failed.
            Error code - ORT_NOT_IMPLEMENTED - message: tensor type 257 is not supported | tensor type 257 is not supported
            Error code - ORT_FAIL - message: /home/b/core/framework/ort_value.h:91 T* OrtValue::GetMutable() [with T = onnxruntime::Tensor] IsTensor() was false. | IsTensor() was false.
            Error code - ORT_INVALID_GRAPH - message: /home/b/training_api/module.cc:306 onnxruntime::training::api::Module::Module(const A&, B*, gsl::span<D* const>) [ONNXRuntimeError] : 10 : INVALID_GRAPH : Load model from /tmp/a/training_model.onnx failed:This is an invalid model. | Load model from /tmp/a/training_model.onnx failed:This is an invalid model.
            Error code - ORT_FAIL - message: Load model from a.onnx failed:/home/b/core/graph/graph.cc:1494 void onnxruntime::Graph::Initialize() This is an invalid model. | Load model from a.onnx failed:This is an invalid model.
            Error code - ORT_INVALID_ARGUMENT - message: Non-zero status code returned while running Gather node. Name:'/embed/Gather' Status Message: indices element out of data bounds, idx=99 | operator Gather, node '/embed/Gather': indices element out of data bounds, idx=99
            '' | no reason given
            """)
    void keepsTheReasonAndTheNamesOfFilesAndNodes(String message, String reason) {
        assertThat(OrtFailure.reason(message)).isEqualTo(reason);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            indices element out of data bounds, idx=99 | such as a token id or a label
            Failed to allocate memory for requested buffer of size 1 | use smaller batches or shorter sequences
            dev.holdfast:AnchorLoss(-1) is not a registered function/op | operator library
            """)
    void addsAHintWhereItIsKnown(String message, String hint) {
        assertThat(OrtFailure.of("step", new OrtException(message)))
                .hasMessageStartingWith("step: ONNX Runtime: " + message)
                .hasMessageContaining(hint);
    }
}
