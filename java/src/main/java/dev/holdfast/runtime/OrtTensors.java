package dev.holdfast.runtime;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.TensorInfo;
import dev.holdfast.error.RuntimeFailureException;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;

/** Conversion between host tensors and ONNX Runtime's. */
final class OrtTensors {
    private static final String TYPE_PREFIX = "ONNX_TENSOR_ELEMENT_DATA_TYPE_";

    private OrtTensors() {}

    /** A tensor of ONNX Runtime over the memory of a host tensor, which must live as long. */
    static OnnxTensor over(OrtEnvironment environment, String name, HostTensor tensor) {
        OnnxJavaType type = javaType(tensor.elementType());
        if (type == OnnxJavaType.UNKNOWN) {
            throw new RuntimeFailureException(
                    "tensor " + name + ": ONNX Runtime's Java API has no type " + tensor.elementType());
        }
        try {
            return OnnxTensor.createTensor(
                    environment,
                    tensor.bytes().order(ByteOrder.nativeOrder()),
                    tensor.shape().toArray(),
                    type);
        } catch (OrtException e) {
            throw OrtFailure.of("tensor " + name + " " + tensor, e);
        }
    }

    /** A copy of a tensor of ONNX Runtime. */
    static HostTensor copy(String name, OnnxTensor tensor) {
        TensorInfo info = tensor.getInfo();
        ElementType type = elementType(info.onnxType)
                .orElseThrow(() ->
                        new RuntimeFailureException("tensor " + name + ": expected numbers, got " + info.onnxType));
        HostTensor copy = allocate(name, type, Shape.of(info.getShape()));
        copy.bytes().put(tensor.getByteBuffer());
        return copy;
    }

    /** A tensor of zeros to be written by ONNX Runtime. */
    static HostTensor allocate(String name, ElementType type, Shape shape) {
        try {
            return HostTensor.allocate(type, shape);
        } catch (IllegalArgumentException e) {
            throw new RuntimeFailureException("output " + name + ": " + e.getMessage() + "; use smaller batches", e);
        }
    }

    /** Our type for ONNX Runtime's, which numbers its types otherwise than ONNX does but names them alike. */
    static Optional<ElementType> elementType(TensorInfo.OnnxTensorType type) {
        return Arrays.stream(ElementType.values())
                .filter(candidate -> type.name().equals(TYPE_PREFIX + candidate.name()))
                .findFirst();
    }

    private static OnnxJavaType javaType(ElementType type) {
        return switch (type) {
            case FLOAT -> OnnxJavaType.FLOAT;
            case DOUBLE -> OnnxJavaType.DOUBLE;
            case FLOAT16 -> OnnxJavaType.FLOAT16;
            case BFLOAT16 -> OnnxJavaType.BFLOAT16;
            case INT8 -> OnnxJavaType.INT8;
            case UINT8 -> OnnxJavaType.UINT8;
            case INT16 -> OnnxJavaType.INT16;
            case INT32 -> OnnxJavaType.INT32;
            case INT64 -> OnnxJavaType.INT64;
            case BOOL -> OnnxJavaType.BOOL;
            case UINT16, UINT32, UINT64 -> OnnxJavaType.UNKNOWN;
        };
    }
}
