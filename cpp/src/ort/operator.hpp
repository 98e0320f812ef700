// What a custom operator sees of ONNX Runtime.
//
// An operator is one class:
//
//     class Scale {
//     public:
//         static constexpr const char *NAME = "Scale";
//         static constexpr Parameter INPUTS[] = {{"x", abi::FLOAT}};
//         static constexpr Parameter OUTPUTS[] = {{"y", abi::FLOAT}};
//         static constexpr InPlace IN_PLACE[] = {{0, 0}};           // may be left out: output 0 may take the memory of input 0
//         static constexpr const char *PROVIDER = CPU_PROVIDER;     // may be left out
//         explicit Scale(const Attributes &attributes) : factor_(attributes.number("factor", 1.0f)) {}
//         void compute(Context &context) const;                     // throws Refusal
//         static void infer_shapes(ShapeInference &inference) { inference.output(0, inference.input(0)); }
//     };
//
// and a line in register.cpp. Exceptions stay inside: they become ORT statuses whose message starts with the operator's name.
#pragma once

#include <cstring>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "core/executor.hpp"
#include "ort/abi.hpp"

namespace holdfast::ort {

constexpr const char *CPU_PROVIDER = "CPUExecutionProvider";
constexpr const char *CUDA_PROVIDER = "CUDAExecutionProvider";

/// An input or output as the schema has it.
struct Parameter {
    const char *name;
    int32_t element_type;
    int32_t characteristic = abi::REQUIRED;
    int32_t memory = abi::DEFAULT_MEMORY;
};

/// Among IN_PLACE: the output may be given the memory of the input if nobody else reads that. Among ALIASES: it always is, even if the
/// memory is that of an input of the graph, which its owner then finds changed.
struct InPlace {
    int32_t input;
    int32_t output;
};

/// The operator cannot run on what it was given.
class Refusal : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

using Dimensions = std::vector<int64_t>;

std::string text(const Dimensions &dimensions);

/// A tensor that was given or that is to be filled; absent optional tensors have no data and `present` false.
struct Tensor {
    void *data = nullptr;
    Dimensions shape;
    bool present = false;

    template <class T>
    const T *as() const {
        return static_cast<const T *>(data);
    }
    int64_t elements() const;
    /// Of a flag BOOL[1]: whether it is there and true.
    bool is_set() const { return present && *as<bool>(); }
};

/// Throws a Refusal that carries ORT's message if the status is one of failure.
void check(const abi::Api *api, abi::Status status);

/// Throws a Refusal that carries hf_last_error() if the status is one of failure.
void check(hf_status status);

class Attributes {
public:
    Attributes(const abi::Api *api, const abi::KernelInfo *info) : api_(api), info_(info) {}

    float number(const char *name, float otherwise) const;
    int64_t integer(const char *name, int64_t otherwise) const;
    /// Throws a Refusal if it is missing.
    int64_t integer(const char *name) const;

private:
    const abi::Api *api_;
    const abi::KernelInfo *info_;
};

/// The inputs and outputs of one run, and ORT's threads.
class Context {
public:
    Context(const abi::Api *api, abi::KernelContext *context, const Parameter *inputs);

    size_t input_count() const;
    /// An input; `present` is false where an optional one was left out.
    Tensor input(size_t index) const;
    /// An input whose shape must be this; -1 stands for any size.
    Tensor input(size_t index, const Dimensions &expected) const;
    /// Memory for an output; absent if the graph does not use it.
    Tensor output(size_t index, const Dimensions &shape) const;

    template <class T>
    T *output_data(size_t index, const Dimensions &shape) const {
        return static_cast<T *>(output(index, shape).data);
    }

    /// An output that is declared as an alias of this input.
    template <class T>
    T *aliased_output(size_t index, const Tensor &input) const {
        T *data = output_data<T>(index, input.shape);
        if (data != input.data) {
            throw Refusal("output " + std::to_string(index) + ": expected the memory of its input, got another");
        }
        return data;
    }

    /// Runs tasks on the session's intra-op threads.
    const hf_executor *executor() const { return &executor_; }

    /// The stream of a provider that has streams; NULL on the CPU.
    void *stream() const;

private:
    friend class Scratch;

    static void run_tasks(void *context, int64_t task_count, hf_task task, void *task_context);

    const abi::Api *api_;
    abi::KernelContext *context_;
    const Parameter *inputs_;
    hf_executor executor_;
};

/// Memory of the session beside an input's: of the same device. It goes back at once, for whoever comes next on the stream.
class Scratch {
public:
    Scratch(const Context &context, size_t input, size_t bytes);
    ~Scratch();
    Scratch(const Scratch &) = delete;
    Scratch &operator=(const Scratch &) = delete;

    /// NULL if there are no bytes.
    void *data() const { return data_; }

private:
    const abi::Api *api_;
    abi::Allocator *allocator_ = nullptr;
    void *data_ = nullptr;
};

/// A shape while the graph is loaded: dimensions may be unknown (-1) or known by name only.
struct SymbolicShape {
    bool known = false;
    Dimensions sizes;
    std::vector<std::string> names;
};

class ShapeInference {
public:
    ShapeInference(const abi::Api *api, abi::ShapeInferContext *context, const Parameter *outputs)
        : api_(api), context_(context), outputs_(outputs) {}

    /// Unknown for an input that is left out. Only for inputs before the first optional one is the position sure to be the schema's.
    SymbolicShape input(size_t index) const;
    /// Does nothing if the shape is unknown.
    void output(size_t index, const SymbolicShape &shape) const;

    /// One axis of a shape as a shape of rank 1.
    static SymbolicShape axis(const SymbolicShape &shape, size_t axis);
    static SymbolicShape fixed(const Dimensions &sizes);
    static SymbolicShape concatenated(const SymbolicShape &a, const SymbolicShape &b);

private:
    const abi::Api *api_;
    abi::ShapeInferContext *context_;
    const Parameter *outputs_;
};

/// Runs a step and turns its exceptions into a status that begins with the operator's name.
template <class Step>
abi::Status guarded(const abi::Api *api, const char *name, Step &&step) {
    try {
        step();
        return nullptr;
    } catch (const Refusal &refusal) {
        return abi::create_status(api, abi::INVALID_ARGUMENT, (std::string(name) + ": " + refusal.what()).c_str());
    } catch (const std::exception &failure) {
        return abi::create_status(api, abi::GENERIC_FAILURE, (std::string(name) + ": " + failure.what()).c_str());
    }
}

/// The table of functions through which ORT drives an operator class.
template <class Operator>
class Registration {
public:
    static const abi::CustomOp *table(const abi::Api *api) {
        static const abi::CustomOp instance = make();
        api_ = api;
        return &instance;
    }

private:
    struct Kernel {
        const abi::Api *api;
        Operator implementation;
    };

    static constexpr size_t INPUT_COUNT = sizeof(Operator::INPUTS) / sizeof(Parameter);
    static constexpr size_t OUTPUT_COUNT = sizeof(Operator::OUTPUTS) / sizeof(Parameter);
    // ORT does not tell shape inference how many outputs a node has, and crashes if one beyond them is given a shape. A required last
    // output makes it refuse such nodes; optional ones before it are left out by an empty name.
    static_assert(Operator::OUTPUTS[OUTPUT_COUNT - 1].characteristic == abi::REQUIRED, "the last output must be required");

    static abi::Status create(const abi::CustomOp *, const abi::Api *api, const abi::KernelInfo *info, void **kernel) {
        return guarded(api, Operator::NAME, [&] { *kernel = new Kernel{api, Operator(Attributes(api, info))}; });
    }

    static abi::Status compute(void *kernel, abi::KernelContext *context) {
        const Kernel &self = *static_cast<Kernel *>(kernel);
        return guarded(self.api, Operator::NAME, [&] {
            Context view(self.api, context, Operator::INPUTS);
            self.implementation.compute(view);
        });
    }

    static abi::Status infer(const abi::CustomOp *, abi::ShapeInferContext *context) {
        return guarded(api_, Operator::NAME, [&] {
            ShapeInference inference(api_, context, Operator::OUTPUTS);
            Operator::infer_shapes(inference);
        });
    }

    template <class List>
    static size_t pairs(const List &list, int32_t **inputs, int32_t **outputs) {
        constexpr size_t count = sizeof(List) / sizeof(InPlace);
        *inputs = new int32_t[count];
        *outputs = new int32_t[count];
        for (size_t i = 0; i < count; ++i) {
            (*inputs)[i] = list[i].input;
            (*outputs)[i] = list[i].output;
        }
        return count;
    }

    template <class Other, class = void>
    struct InPlaceOf {
        static void declare(abi::CustomOp &) {}
    };
    template <class Other>
    struct InPlaceOf<Other, std::void_t<decltype(Other::IN_PLACE)>> {
        static void declare(abi::CustomOp &op) {
            op.GetMayInplace = [](int32_t **inputs, int32_t **outputs) { return pairs(Other::IN_PLACE, inputs, outputs); };
            op.ReleaseMayInplace = release_pairs;
        }
    };

    template <class Other, class = void>
    struct AliasesOf {
        static void declare(abi::CustomOp &) {}
    };
    template <class Other>
    struct AliasesOf<Other, std::void_t<decltype(Other::ALIASES)>> {
        static void declare(abi::CustomOp &op) {
            op.GetAliasMap = [](int32_t **inputs, int32_t **outputs) { return pairs(Other::ALIASES, inputs, outputs); };
            op.ReleaseAliasMap = release_pairs;
        }
    };

    template <class Other, class = void>
    struct ProviderOf {
        static constexpr const char *NAME = CPU_PROVIDER;
    };
    template <class Other>
    struct ProviderOf<Other, std::void_t<decltype(Other::PROVIDER)>> {
        static constexpr const char *NAME = Other::PROVIDER;
    };

    static void release_pairs(int32_t *inputs, int32_t *outputs) {
        delete[] inputs;
        delete[] outputs;
    }

    static abi::CustomOp make() {
        abi::CustomOp op{};
        op.version = abi::API_VERSION;
        op.GetName = [](const abi::CustomOp *) { return Operator::NAME; };
        op.GetExecutionProviderType = [](const abi::CustomOp *) { return ProviderOf<Operator>::NAME; };
        op.GetInputTypeCount = [](const abi::CustomOp *) { return INPUT_COUNT; };
        op.GetInputType = [](const abi::CustomOp *, size_t i) { return Operator::INPUTS[i].element_type; };
        op.GetInputCharacteristic = [](const abi::CustomOp *, size_t i) { return Operator::INPUTS[i].characteristic; };
        op.GetInputMemoryType = [](const abi::CustomOp *, size_t i) { return Operator::INPUTS[i].memory; };
        op.GetOutputTypeCount = [](const abi::CustomOp *) { return OUTPUT_COUNT; };
        op.GetOutputType = [](const abi::CustomOp *, size_t i) { return Operator::OUTPUTS[i].element_type; };
        op.GetOutputCharacteristic = [](const abi::CustomOp *, size_t i) { return Operator::OUTPUTS[i].characteristic; };
        op.GetVariadicInputMinArity = [](const abi::CustomOp *) { return 1; };
        op.GetVariadicInputHomogeneity = [](const abi::CustomOp *) { return 0; };
        op.GetVariadicOutputMinArity = op.GetVariadicOutputHomogeneity = [](const abi::CustomOp *) { return 1; };
        op.CreateKernelV2 = create;
        op.KernelComputeV2 = compute;
        op.KernelDestroy = [](void *kernel) { delete static_cast<Kernel *>(kernel); };
        op.InferOutputShape = infer;
        op.GetStartVersion = [](const abi::CustomOp *) { return 1; };
        op.GetEndVersion = [](const abi::CustomOp *) { return INT32_MAX; };
        InPlaceOf<Operator>::declare(op);
        AliasesOf<Operator>::declare(op);
        return op;
    }

    inline static const abi::Api *api_ = nullptr;  // shape inference is not told it
};

}  // namespace holdfast::ort
