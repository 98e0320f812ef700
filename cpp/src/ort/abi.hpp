// The part of ONNX Runtime's C ABI that the custom operators use, declared by hand: no package registry carries ORT's headers.
//
// Facts relied on: OrtApi is a table of function pointers whose order never changes (functions are appended), OrtCustomOp has the
// members below since version 18. An older runtime returns NULL for the version asked for, and registration fails with a message.
#pragma once

#include <cstddef>
#include <cstdint>

namespace holdfast::ort::abi {

struct Api;
struct KernelInfo;
struct KernelContext;
struct Value;
struct ShapeInferContext;
struct SessionOptions;
struct Domain;
struct TypeShape;
struct MemoryInfo;
struct Allocator;
struct StatusValue;
using Status = StatusValue *;  // NULL = success

constexpr uint32_t API_VERSION = 18;

struct ApiBase {
    const Api *(*GetApi)(uint32_t version);
    const char *(*GetVersionString)();
};

enum ElementType : int32_t { UNDEFINED = 0, FLOAT = 1, INT64 = 7, BOOL = 9, FLOAT16 = 10, BFLOAT16 = 16 };
enum Characteristic : int32_t { REQUIRED = 0, OPTIONAL = 1, VARIADIC = 2 };
enum MemoryType : int32_t { DEFAULT_MEMORY = 0, HOST_MEMORY = -2 };
enum ErrorCode : int32_t { GENERIC_FAILURE = 1, INVALID_ARGUMENT = 2 };

struct CustomOp {
    uint32_t version;
    void *(*CreateKernel)(const CustomOp *, const Api *, const KernelInfo *);
    const char *(*GetName)(const CustomOp *);
    const char *(*GetExecutionProviderType)(const CustomOp *);
    int32_t (*GetInputType)(const CustomOp *, size_t index);
    size_t (*GetInputTypeCount)(const CustomOp *);
    int32_t (*GetOutputType)(const CustomOp *, size_t index);
    size_t (*GetOutputTypeCount)(const CustomOp *);
    void (*KernelCompute)(void *kernel, KernelContext *);
    void (*KernelDestroy)(void *kernel);
    int32_t (*GetInputCharacteristic)(const CustomOp *, size_t index);
    int32_t (*GetOutputCharacteristic)(const CustomOp *, size_t index);
    int32_t (*GetInputMemoryType)(const CustomOp *, size_t index);
    int32_t (*GetVariadicInputMinArity)(const CustomOp *);
    int32_t (*GetVariadicInputHomogeneity)(const CustomOp *);
    int32_t (*GetVariadicOutputMinArity)(const CustomOp *);
    int32_t (*GetVariadicOutputHomogeneity)(const CustomOp *);
    Status (*CreateKernelV2)(const CustomOp *, const Api *, const KernelInfo *, void **kernel);
    Status (*KernelComputeV2)(void *kernel, KernelContext *);
    Status (*InferOutputShape)(const CustomOp *, ShapeInferContext *);
    int32_t (*GetStartVersion)(const CustomOp *);
    int32_t (*GetEndVersion)(const CustomOp *);
    size_t (*GetMayInplace)(int32_t **inputs, int32_t **outputs);
    void (*ReleaseMayInplace)(int32_t *inputs, int32_t *outputs);
    size_t (*GetAliasMap)(int32_t **inputs, int32_t **outputs);
    void (*ReleaseAliasMap)(int32_t *inputs, int32_t *outputs);
};

/// Calls the function in one slot of the table.
template <int SLOT, class Result, class... Arguments>
Result call(const Api *api, Arguments... arguments) {
    return (reinterpret_cast<Result (*)(Arguments...)>(reinterpret_cast<void *const *>(api)[SLOT]))(arguments...);
}

inline Status create_status(const Api *api, int32_t code, const char *message) { return call<0, Status>(api, code, message); }
inline const char *error_message(const Api *api, Status status) {
    return call<2, const char *>(api, static_cast<const StatusValue *>(status));
}
inline Status create_domain(const Api *api, const char *name, Domain **domain) { return call<26, Status>(api, name, domain); }
inline Status add_operator(const Api *api, Domain *domain, const CustomOp *op) { return call<27, Status>(api, domain, op); }
inline Status add_domain(const Api *api, SessionOptions *options, Domain *domain) { return call<28, Status>(api, options, domain); }
inline Status mutable_data(const Api *api, Value *value, void **data) { return call<51, Status>(api, value, data); }
inline Status create_type_shape(const Api *api, TypeShape **info) { return call<57, Status>(api, info); }
inline Status set_element_type(const Api *api, TypeShape *info, int32_t type) { return call<58, Status>(api, info, type); }
inline Status set_dimensions(const Api *api, TypeShape *info, const int64_t *dimensions, size_t count) {
    return call<59, Status>(api, info, dimensions, count);
}
inline Status element_type(const Api *api, const TypeShape *info, int32_t *type) { return call<60, Status>(api, info, type); }
inline Status dimension_count(const Api *api, const TypeShape *info, size_t *count) { return call<61, Status>(api, info, count); }
inline Status dimensions(const Api *api, const TypeShape *info, int64_t *values, size_t count) {
    return call<62, Status>(api, info, values, count);
}
inline Status symbolic_dimensions(const Api *api, const TypeShape *info, const char **names, size_t count) {
    return call<63, Status>(api, info, names, count);
}
inline Status type_and_shape(const Api *api, const Value *value, TypeShape **info) { return call<65, Status>(api, value, info); }
inline Status attribute_float(const Api *api, const KernelInfo *info, const char *name, float *value) {
    return call<85, Status>(api, info, name, value);
}
inline Status attribute_int64(const Api *api, const KernelInfo *info, const char *name, int64_t *value) {
    return call<86, Status>(api, info, name, value);
}
inline Status allocate(const Api *api, Allocator *allocator, size_t bytes, void **memory) {
    return call<75, Status>(api, allocator, bytes, memory);
}
inline Status free(const Api *api, Allocator *allocator, void *memory) { return call<76, Status>(api, allocator, memory); }
inline Status input_count(const Api *api, const KernelContext *context, size_t *count) { return call<88, Status>(api, context, count); }
inline Status output_count(const Api *api, const KernelContext *context, size_t *count) { return call<89, Status>(api, context, count); }
inline Status input(const Api *api, const KernelContext *context, size_t index, const Value **value) {
    return call<90, Status>(api, context, index, value);
}
inline Status output(const Api *api, KernelContext *context, size_t index, const int64_t *shape, size_t rank, Value **value) {
    return call<91, Status>(api, context, index, shape, rank, value);
}
inline void release_status(const Api *api, Status status) { call<93, void>(api, status); }
inline void release_type_shape(const Api *api, TypeShape *info) { call<99, void>(api, info); }
inline void release_allocator(const Api *api, Allocator *allocator) { call<132, void>(api, allocator); }
inline Status compute_stream(const Api *api, const KernelContext *context, void **stream) {
    return call<193, Status>(api, context, stream);
}
inline Status memory_info(const Api *api, const Value *tensor, const MemoryInfo **info) { return call<194, Status>(api, tensor, info); }
inline Status has_session_entry(const Api *api, const SessionOptions *options, const char *key, int *found) {
    return call<237, Status>(api, options, key, found);
}
/// `size` holds the room in `value` before the call and the length with the closing NUL after it.
inline Status session_entry(const Api *api, const SessionOptions *options, const char *key, char *value, size_t *size) {
    return call<238, Status>(api, options, key, value, size);
}
inline Status memory_allocator(const Api *api, const KernelContext *context, const MemoryInfo *info, Allocator **allocator) {
    return call<253, Status>(api, context, info, allocator);
}
inline Status inferred_input_count(const Api *api, const ShapeInferContext *context, size_t *count) {
    return call<267, Status>(api, context, count);
}
inline Status inferred_input(const Api *api, const ShapeInferContext *context, size_t index, TypeShape **info) {
    return call<268, Status>(api, context, index, info);
}
inline Status inferred_output(const Api *api, const ShapeInferContext *context, size_t index, const TypeShape *info) {
    return call<270, Status>(api, context, index, info);
}
inline Status set_symbolic_dimensions(const Api *api, TypeShape *info, const char **names, size_t count) {
    return call<271, Status>(api, info, names, count);
}
inline Status parallel_for(const Api *api, const KernelContext *context, void (*task)(void *, size_t), size_t total, size_t batches,
                           void *user_data) {
    return call<274, Status>(api, context, task, total, batches, user_data);
}

}  // namespace holdfast::ort::abi
