package dev.holdfast.onnx;

/**
 * The identity of an operator in ONNX files.
 *
 * @param domain empty for ONNX's own operators
 * @param type the operator's name, for example {@code MatMul}
 */
public record OperatorName(String domain, String type) {
    /** For example {@code MatMul} or {@code com.microsoft:FusedMatMul}. */
    @Override
    public String toString() {
        return domain.isEmpty() ? type : domain + ":" + type;
    }
}
