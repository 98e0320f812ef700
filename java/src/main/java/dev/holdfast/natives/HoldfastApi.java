package dev.holdfast.natives;

import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.Const;
import org.bytedeco.javacpp.annotation.MemberSetter;
import org.bytedeco.javacpp.annotation.Name;
import org.bytedeco.javacpp.annotation.Platform;

/**
 * {@code holdfast.h} as it is; its documentation lies there. JavaCPP generates the glue from these declarations, so names, types and
 * orders follow C.
 */
@Platform(include = "holdfast/holdfast.h", link = "holdfast", library = "jniholdfast")
final class HoldfastApi {
    static final int OK = 0;
    static final int INVALID_ARGUMENT = 1;

    private HoldfastApi() {}

    @Name("hf_anchor_loss_options")
    static final class Options extends Pointer {
        Options() {
            super((Pointer) null);
            allocate();
            zero();
        }

        private native void allocate();

        @MemberSetter native @Name("struct_size") Options structSize(@Cast("size_t") long value);

        @MemberSetter native Options divergence(int value);

        @MemberSetter native Options interpolation(int value);

        @MemberSetter native @Name("label_weighting") Options labelWeighting(int value);

        @MemberSetter native Options temperature(float value);

        @MemberSetter native @Name("kd_weight") Options kdWeight(float value);

        @MemberSetter native @Name("ce_weight") Options ceWeight(float value);

        @MemberSetter native Options beta(float value);
    }

    @Name("hf_logits")
    static final class Logits extends Pointer {
        Logits() {
            super((Pointer) null);
            allocate();
            zero();
        }

        private native void allocate();

        @MemberSetter native @Name("struct_size") Logits structSize(@Cast("size_t") long value);

        @MemberSetter native Logits data(@Const Pointer value);

        @MemberSetter native @Name("vocabulary_size") Logits vocabularySize(@Cast("int64_t") long value);

        @MemberSetter native @Name("row_stride") Logits rowStride(@Cast("int64_t") long value);

        @MemberSetter native @Name("element_type") Logits elementType(int value);
    }

    @Name("hf_anchor_loss_tokens")
    static final class Tokens extends Pointer {
        Tokens() {
            super((Pointer) null);
            allocate();
            zero();
        }

        private native void allocate();

        @MemberSetter native @Name("struct_size") Tokens structSize(@Cast("size_t") long value);

        @MemberSetter native Tokens labels(@Cast("const int64_t*") Pointer value);

        @MemberSetter native Tokens weights(@Cast("const float*") Pointer value);

        @MemberSetter native Tokens alphas(@Cast("const float*") Pointer value);
    }

    @Name("hf_anchor_loss_outputs")
    static final class Outputs extends Pointer {
        Outputs() {
            super((Pointer) null);
            allocate();
            zero();
        }

        private native void allocate();

        @MemberSetter native @Name("struct_size") Outputs structSize(@Cast("size_t") long value);

        @MemberSetter native @Name("token_loss") Outputs tokenLoss(@Cast("float*") Pointer value);

        @MemberSetter native Outputs statistics(@Cast("float*") Pointer value);

        @MemberSetter native @Name("student_gradient") Outputs studentGradient(Pointer value);

        @MemberSetter native @Name("gradient_stride") Outputs gradientStride(@Cast("int64_t") long value);

        @MemberSetter native @Name("gradient_type") Outputs gradientType(int value);

        @MemberSetter native @Name("gradient_mode") Outputs gradientMode(int value);
    }

    @Name("hf_version")
    static native int version();

    @Name("hf_last_error")
    static native String lastError();

    @Name("hf_cpu_instruction_set")
    static native String cpuInstructionSet();

    @Name("hf_set_thread_count")
    static native int setThreadCount(@Cast("int64_t") long threadCount);

    @Name("hf_thread_count")
    static native @Cast("int64_t") long threadCount();

    @Name("hf_anchor_loss")
    static native int anchorLoss(
            int backend,
            @Cast("int64_t") long tokenCount,
            @Const Options options,
            @Const Logits student,
            @Const Logits snapshot,
            @Const Logits reference,
            @Const Tokens tokens,
            @Const Outputs outputs,
            Pointer workspace,
            @Cast("size_t") long workspaceBytes,
            @Cast("const hf_executor*") Pointer executor,
            Pointer stream);
}
