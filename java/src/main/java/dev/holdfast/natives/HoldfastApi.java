package dev.holdfast.natives;

import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.SizeTPointer;
import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.Const;
import org.bytedeco.javacpp.annotation.MemberGetter;
import org.bytedeco.javacpp.annotation.MemberSetter;
import org.bytedeco.javacpp.annotation.Name;
import org.bytedeco.javacpp.annotation.Platform;

/**
 * /**
 * The headers that are included here, as they are; their documentation lies there. JavaCPP generates the glue from these declarations, so
 * names, types and orders follow C. Memory of callers is given by address.
 */
@Platform(
        include = {
            "holdfast/holdfast.h",
            "holdfast/adamw.h",
            "holdfast/cuda.h",
            "holdfast/linear_anchor_loss.h",
            "holdfast/matrix_product.h"
        },
        link = "holdfast",
        library = "jniholdfast")
final class HoldfastApi {
    static final int BFLOAT16 = 16;

    private HoldfastApi() {}

    @Name("hf_anchor_loss_options")
    static final class Options extends Pointer {
        Options() {
            super((Pointer) null);
            allocate();
            zero();
        }

        private native void allocate();

        @MemberSetter
        native @Name("struct_size") Options structSize(@Cast("size_t") long value);

        @MemberSetter
        native Options divergence(int value);

        @MemberSetter
        native Options interpolation(int value);

        @MemberSetter
        native @Name("label_weighting") Options labelWeighting(int value);

        @MemberSetter
        native Options temperature(float value);

        @MemberSetter
        native @Name("kd_weight") Options kdWeight(float value);

        @MemberSetter
        native @Name("ce_weight") Options ceWeight(float value);

        @MemberSetter
        native Options beta(float value);
    }

    @Name("hf_logits")
    static final class Logits extends Pointer {
        Logits() {
            super((Pointer) null);
            allocate();
            zero();
        }

        private native void allocate();

        @MemberSetter
        native @Name("struct_size") Logits structSize(@Cast("size_t") long value);

        @MemberSetter
        native Logits data(@Cast("const void*") long value);

        @MemberSetter
        native @Name("vocabulary_size") Logits vocabularySize(@Cast("int64_t") long value);

        @MemberSetter
        native @Name("row_stride") Logits rowStride(@Cast("int64_t") long value);

        @MemberSetter
        native @Name("element_type") Logits elementType(int value);
    }

    @Name("hf_anchor_loss_tokens")
    static final class Tokens extends Pointer {
        Tokens() {
            super((Pointer) null);
            allocate();
            zero();
        }

        private native void allocate();

        @MemberSetter
        native @Name("struct_size") Tokens structSize(@Cast("size_t") long value);

        @MemberSetter
        native Tokens labels(@Cast("const int64_t*") long value);

        @MemberSetter
        native Tokens weights(@Cast("const float*") long value);

        @MemberSetter
        native Tokens alphas(@Cast("const float*") long value);
    }

    @Name("hf_anchor_loss_outputs")
    static final class Outputs extends Pointer {
        Outputs() {
            super((Pointer) null);
            allocate();
            zero();
        }

        private native void allocate();

        @MemberSetter
        native @Name("struct_size") Outputs structSize(@Cast("size_t") long value);

        @MemberSetter
        native @Name("token_loss") Outputs tokenLoss(@Cast("float*") long value);

        @MemberSetter
        native Outputs statistics(@Cast("float*") long value);

        @MemberSetter
        native @Name("student_gradient") Outputs studentGradient(@Cast("void*") long value);

        @MemberSetter
        native @Name("gradient_stride") Outputs gradientStride(@Cast("int64_t") long value);

        @MemberSetter
        native @Name("gradient_type") Outputs gradientType(int value);

        @MemberSetter
        native @Name("gradient_mode") Outputs gradientMode(int value);
    }

    @Name("hf_linear_logits")
    static final class LinearLogits extends Pointer {
        LinearLogits() {
            super((Pointer) null);
            allocate();
            zero();
        }

        private native void allocate();

        @MemberSetter
        native @Name("struct_size") LinearLogits structSize(@Cast("size_t") long value);

        @MemberSetter
        native LinearLogits hidden(@Const Pointer value);

        @MemberSetter
        native LinearLogits head(@Const Pointer value);

        @MemberSetter
        native @Name("hidden_size") LinearLogits hiddenSize(@Cast("int64_t") long value);

        @MemberSetter
        native @Name("vocabulary_size") LinearLogits vocabularySize(@Cast("int64_t") long value);

        @MemberSetter
        native @Name("hidden_stride") LinearLogits hiddenStride(@Cast("int64_t") long value);

        @MemberSetter
        native @Name("head_stride") LinearLogits headStride(@Cast("int64_t") long value);

        @MemberSetter
        native @Name("hidden_type") LinearLogits hiddenType(int value);

        @MemberSetter
        native @Name("head_type") LinearLogits headType(int value);
    }

    @Name("hf_linear_anchor")
    static final class LinearAnchor extends Pointer {
        LinearAnchor() {
            super((Pointer) null);
            allocate();
            zero();
        }

        private native void allocate();

        @MemberSetter
        native @Name("struct_size") LinearAnchor structSize(@Cast("size_t") long value);

        @MemberSetter
        native LinearAnchor snapshot(@Const LinearLogits value);

        @MemberSetter
        native LinearAnchor reference(@Const LinearLogits value);

        @MemberSetter
        native LinearAnchor mean(@Cast("const float*") Pointer value);

        @MemberSetter
        native LinearAnchor entropy(@Cast("const float*") Pointer value);

        @MemberSetter
        native LinearAnchor form(int value);
    }

    @Name("hf_linear_anchor_loss_outputs")
    static final class LinearOutputs extends Pointer {
        LinearOutputs() {
            super((Pointer) null);
            allocate();
            zero();
        }

        private native void allocate();

        @MemberSetter
        native @Name("struct_size") LinearOutputs structSize(@Cast("size_t") long value);

        @MemberSetter
        native @Name("token_loss") LinearOutputs tokenLoss(@Cast("float*") Pointer value);

        @MemberSetter
        native LinearOutputs statistics(@Cast("float*") Pointer value);

        @MemberSetter
        native @Name("hidden_gradient") LinearOutputs hiddenGradient(Pointer value);

        @MemberSetter
        native @Name("head_gradient") LinearOutputs headGradient(Pointer value);

        @MemberSetter
        native @Name("hidden_gradient_stride") LinearOutputs hiddenGradientStride(@Cast("int64_t") long value);

        @MemberSetter
        native @Name("head_gradient_stride") LinearOutputs headGradientStride(@Cast("int64_t") long value);

        @MemberSetter
        native @Name("hidden_gradient_type") LinearOutputs hiddenGradientType(int value);

        @MemberSetter
        native @Name("head_gradient_type") LinearOutputs headGradientType(int value);

        @MemberSetter
        native @Name("hidden_gradient_mode") LinearOutputs hiddenGradientMode(int value);

        @MemberSetter
        native @Name("head_gradient_mode") LinearOutputs headGradientMode(int value);
    }

    @Name("hf_adamw_options")
    static final class AdamWOptions extends Pointer {
        AdamWOptions() {
            super((Pointer) null);
            allocate();
            zero();
        }

        private native void allocate();

        @MemberSetter
        native @Name("struct_size") AdamWOptions structSize(@Cast("size_t") long value);

        @MemberSetter
        native @Name("learning_rate") AdamWOptions learningRate(double value);

        @MemberSetter
        native AdamWOptions beta1(double value);

        @MemberSetter
        native AdamWOptions beta2(double value);

        @MemberSetter
        native AdamWOptions epsilon(double value);

        @MemberSetter
        native @Name("weight_decay") AdamWOptions weightDecay(double value);

        @MemberSetter
        native @Name("gradient_scale") AdamWOptions gradientScale(double value);

        @MemberSetter
        native AdamWOptions step(@Cast("int64_t") long value);
    }

    @Name("hf_adamw_tensors")
    static final class AdamWTensors extends Pointer {
        AdamWTensors() {
            super((Pointer) null);
            allocate();
            zero();
        }

        private native void allocate();

        @MemberSetter
        native @Name("struct_size") AdamWTensors structSize(@Cast("size_t") long value);

        @MemberSetter
        native AdamWTensors count(@Cast("int64_t") long value);

        @MemberSetter
        native @Name("element_counts") AdamWTensors elementCounts(@Cast("const int64_t*") Pointer value);

        @MemberSetter
        native AdamWTensors parameters(@Cast("float* const*") Pointer value);

        @MemberSetter
        native AdamWTensors gradients(@Cast("const float* const*") Pointer value);

        @MemberSetter
        native @Name("first_moments") AdamWTensors firstMoments(@Cast("float* const*") Pointer value);

        @MemberSetter
        native @Name("second_moments") AdamWTensors secondMoments(@Cast("float* const*") Pointer value);
    }

    @Name("hf_cuda_device")
    static final class CudaDevice extends Pointer {
        CudaDevice() {
            super((Pointer) null);
            allocate();
            zero();
        }

        private native void allocate();

        @MemberSetter
        native @Name("struct_size") CudaDevice structSize(@Cast("size_t") long value);

        @MemberGetter
        native String name();

        @MemberGetter
        native @Name("compute_capability") int computeCapability();

        @MemberGetter
        native @Name("multiprocessor_count") int multiprocessorCount();

        @MemberGetter
        native @Name("memory_bytes") @Cast("int64_t") long memoryBytes();

        @MemberGetter
        native @Name("cache_bytes") @Cast("int64_t") long cacheBytes();
    }

    @Name("hf_version")
    static native int version();

    @Name("hf_last_error")
    static native String lastError();

    @Name("hf_cpu_instruction_set")
    static native String cpuInstructionSet();

    @Name("hf_cap_cpu_instruction_set")
    static native int capCpuInstructionSet(String name);

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
            @Cast("void*") long workspace,
            @Cast("size_t") long workspaceBytes,
            @Cast("const hf_executor*") Pointer executor,
            @Cast("void*") long stream);

    @Name("hf_anchor_loss_workspace_bytes")
    static native int anchorLossWorkspaceBytes(
            int backend,
            @Cast("int64_t") long tokenCount,
            @Const Logits student,
            @Const Logits snapshot,
            @Const Logits reference,
            @Cast("size_t*") long[] workspaceBytes);

    @Name("hf_anchor_loss_sum")
    static native int anchorLossSum(
            int backend,
            @Cast("int64_t") long tokenCount,
            @Const Tokens tokens,
            @Cast("const float*") long tokenLoss,
            @Cast("float*") long sum,
            @Cast("void*") long stream);

    @Name("hf_linear_anchor_loss")
    static native int linearAnchorLoss(
            int backend,
            @Cast("int64_t") long tokenCount,
            @Const Options options,
            int operandType,
            @Const LinearLogits student,
            @Const LinearAnchor anchor,
            @Const Tokens tokens,
            @Const LinearOutputs outputs,
            Pointer workspace,
            @Cast("size_t") long workspaceBytes,
            @Cast("const hf_executor*") Pointer executor,
            Pointer stream);

    @Name("hf_linear_anchor_loss_workspace_bytes")
    static native int linearAnchorLossWorkspaceBytes(
            int backend,
            @Cast("int64_t") long tokenCount,
            @Const LinearLogits student,
            @Const LinearAnchor anchor,
            @Cast("size_t*") SizeTPointer workspaceBytes);

    @Name("hf_anchor_mean")
    static native int anchorMean(
            int backend,
            @Cast("int64_t") long tokenCount,
            int interpolation,
            float temperature,
            int operandType,
            @Const LinearLogits snapshot,
            @Const LinearLogits reference,
            @Cast("const float*") Pointer alphas,
            @Cast("float*") Pointer mean,
            @Cast("float*") Pointer entropy,
            Pointer workspace,
            @Cast("size_t") long workspaceBytes,
            @Cast("const hf_executor*") Pointer executor,
            Pointer stream);

    @Name("hf_anchor_mean_workspace_bytes")
    static native int anchorMeanWorkspaceBytes(
            int backend,
            @Cast("int64_t") long tokenCount,
            int interpolation,
            @Const LinearLogits snapshot,
            @Const LinearLogits reference,
            @Cast("size_t*") SizeTPointer workspaceBytes);

    @Name("hf_adamw")
    static native int adamw(
            int backend,
            @Const AdamWOptions options,
            @Const AdamWTensors tensors,
            @Cast("const hf_executor*") Pointer executor);

    @Name("hf_gradient_norm")
    static native int gradientNorm(
            int backend,
            @Cast("int64_t") long tensorCount,
            @Cast("const int64_t*") Pointer elementCounts,
            @Cast("const float* const*") Pointer gradients,
            @Cast("double*") Pointer norm,
            @Cast("const hf_executor*") Pointer executor);

    @Name("hf_open_matrix_library")
    static native int openMatrixLibrary(String path);

    @Name("hf_matrix_library")
    static native String matrixLibrary();

    @Name("hf_multiplies")
    static native int multiplies(int elementType);

    @Name("hf_open_cuda_library")
    static native int openCudaLibrary(String path);

    @Name("hf_cuda_library")
    static native String cudaLibrary();

    @Name("hf_cuda_current_device")
    static native int cudaCurrentDevice(CudaDevice device);

    @Name("hf_cuda_allocate")
    static native int cudaAllocate(@Cast("size_t") long bytes, @Cast("void**") long[] memory);

    @Name("hf_cuda_free")
    static native int cudaFree(@Cast("void*") long memory);

    @Name("hf_cuda_copy")
    static native int cudaCopy(
            @Cast("void*") long target,
            @Cast("const void*") long source,
            @Cast("size_t") long bytes,
            @Cast("void*") long stream);

    @Name("hf_cuda_synchronize")
    static native int cudaSynchronize(@Cast("void*") long stream);

    @Name("hf_cuda_start_timer")
    static native int cudaStartTimer(@Cast("void*") long stream, @Cast("void**") long[] timer);

    @Name("hf_cuda_stop_timer")
    static native int cudaStopTimer(
            @Cast("void*") long timer, @Cast("void*") long stream, @Cast("float*") float[] milliseconds);
}
