#include "ort/operator.hpp"

namespace holdfast::ort {
namespace {

/// Releases what ORT handed out.
class TypeShapeHandle {
public:
    explicit TypeShapeHandle(const abi::Api *api) : api_(api) {}
    ~TypeShapeHandle() {
        if (info_ != nullptr) {
            abi::release_type_shape(api_, info_);
        }
    }
    TypeShapeHandle(const TypeShapeHandle &) = delete;
    TypeShapeHandle &operator=(const TypeShapeHandle &) = delete;

    abi::TypeShape **slot() { return &info_; }
    abi::TypeShape *get() const { return info_; }

private:
    const abi::Api *api_;
    abi::TypeShape *info_ = nullptr;
};

Dimensions shape_of(const abi::Api *api, const abi::TypeShape *info) {
    size_t rank = 0;
    check(api, abi::dimension_count(api, info, &rank));
    Dimensions shape(rank);
    check(api, abi::dimensions(api, info, shape.data(), rank));
    return shape;
}

Tensor tensor_of(const abi::Api *api, const abi::Value *value) {
    Tensor tensor;
    if (value == nullptr) {
        return tensor;
    }
    TypeShapeHandle info(api);
    check(api, abi::type_and_shape(api, value, info.slot()));
    tensor.shape = shape_of(api, info.get());
    tensor.present = true;
    check(api, abi::mutable_data(api, const_cast<abi::Value *>(value), &tensor.data));
    return tensor;
}

bool matches(const Dimensions &shape, const Dimensions &expected) {
    if (shape.size() != expected.size()) {
        return false;
    }
    for (size_t i = 0; i < shape.size(); ++i) {
        if (expected[i] >= 0 && shape[i] != expected[i]) {
            return false;
        }
    }
    return true;
}

}  // namespace

std::string text(const Dimensions &dimensions) {
    std::string result = "[";
    for (size_t i = 0; i < dimensions.size(); ++i) {
        result += (i == 0 ? "" : ", ") + (dimensions[i] < 0 ? std::string("any") : std::to_string(dimensions[i]));
    }
    return result + "]";
}

int64_t Tensor::elements() const {
    int64_t count = 1;
    for (int64_t size : shape) {
        count *= size;
    }
    return count;
}

void check(const abi::Api *api, abi::Status status) {
    if (status == nullptr) {
        return;
    }
    const std::string message = abi::error_message(api, status);
    abi::release_status(api, status);
    throw Refusal(message);
}

void check(hf_status status) {
    if (status != HF_OK) {
        throw Refusal(hf_last_error());
    }
}

float Attributes::number(const char *name, float otherwise) const {
    float value = otherwise;
    if (abi::Status missing = abi::attribute_float(api_, info_, name, &value)) {
        abi::release_status(api_, missing);
        return otherwise;
    }
    return value;
}

int64_t Attributes::integer(const char *name, int64_t otherwise) const {
    int64_t value = otherwise;
    if (abi::Status missing = abi::attribute_int64(api_, info_, name, &value)) {
        abi::release_status(api_, missing);
        return otherwise;
    }
    return value;
}

int64_t Attributes::integer(const char *name) const {
    int64_t value = 0;
    if (abi::Status missing = abi::attribute_int64(api_, info_, name, &value)) {
        abi::release_status(api_, missing);
        throw Refusal(std::string("attribute ") + name + ": expected an integer, got none");
    }
    return value;
}

Context::Context(const abi::Api *api, abi::KernelContext *context, const Parameter *inputs)
    : api_(api), context_(context), inputs_(inputs), executor_{sizeof(hf_executor), this, run_tasks, hf_thread_count()} {}

size_t Context::input_count() const {
    size_t count = 0;
    check(api_, abi::input_count(api_, context_, &count));
    return count;
}

Tensor Context::input(size_t index) const {
    if (index >= input_count()) {
        return {};
    }
    const abi::Value *value = nullptr;
    check(api_, abi::input(api_, context_, index, &value));
    return tensor_of(api_, value);
}

Tensor Context::input(size_t index, const Dimensions &expected) const {
    Tensor tensor = input(index);
    if (tensor.present && !matches(tensor.shape, expected)) {
        throw Refusal(std::string(inputs_[index].name) + ": expected shape " + text(expected) + ", got " + text(tensor.shape));
    }
    return tensor;
}

Tensor Context::output(size_t index, const Dimensions &shape) const {
    size_t count = 0;
    check(api_, abi::output_count(api_, context_, &count));
    if (index >= count) {
        return {};
    }
    abi::Value *value = nullptr;
    check(api_, abi::output(api_, context_, index, shape.data(), shape.size(), &value));
    return tensor_of(api_, value);
}

void *Context::stream() const {
    void *stream = nullptr;
    check(api_, abi::compute_stream(api_, context_, &stream));
    return stream;
}

void Context::run_tasks(void *self, int64_t task_count, hf_task task, void *task_context) {
    const Context &context = *static_cast<const Context *>(self);
    struct Call {
        hf_task task;
        void *task_context;
    } call{task, task_context};
    const auto run = [](void *data, size_t index) {
        const Call &one = *static_cast<const Call *>(data);
        one.task(one.task_context, static_cast<int64_t>(index));
    };
    check(context.api_, abi::parallel_for(context.api_, context.context_, run, static_cast<size_t>(task_count), 0, &call));
}

Scratch::Scratch(const Context &context, size_t input, size_t bytes) : api_(context.api_) {
    if (bytes == 0) {
        return;
    }
    const abi::Value *value = nullptr;
    const abi::MemoryInfo *info = nullptr;
    check(api_, abi::input(api_, context.context_, input, &value));
    check(api_, abi::memory_info(api_, value, &info));
    check(api_, abi::memory_allocator(api_, context.context_, info, &allocator_));
    if (abi::Status failure = abi::allocate(api_, allocator_, bytes, &data_)) {
        abi::release_allocator(api_, allocator_);
        check(api_, failure);
    }
}

Scratch::~Scratch() {
    if (allocator_ == nullptr) {
        return;
    }
    if (abi::Status failure = abi::free(api_, allocator_, data_)) {
        abi::release_status(api_, failure);
    }
    abi::release_allocator(api_, allocator_);
}

SymbolicShape ShapeInference::input(size_t index) const {
    size_t count = 0;
    check(api_, abi::inferred_input_count(api_, context_, &count));
    SymbolicShape shape;
    if (index >= count) {
        return shape;
    }
    abi::TypeShape *info = nullptr;  // stays ORT's
    check(api_, abi::inferred_input(api_, context_, index, &info));
    if (info == nullptr) {
        return shape;
    }
    shape.sizes = shape_of(api_, info);
    std::vector<const char *> names(shape.sizes.size(), nullptr);
    check(api_, abi::symbolic_dimensions(api_, info, names.data(), names.size()));
    for (const char *name : names) {
        shape.names.emplace_back(name == nullptr ? "" : name);
    }
    shape.known = !shape.sizes.empty();  // ORT shows an unknown shape as a scalar
    return shape;
}

void ShapeInference::output(size_t index, const SymbolicShape &shape) const {
    if (!shape.known) {
        return;
    }
    TypeShapeHandle info(api_);
    check(api_, abi::create_type_shape(api_, info.slot()));
    check(api_, abi::set_element_type(api_, info.get(), outputs_[index].element_type));
    check(api_, abi::set_dimensions(api_, info.get(), shape.sizes.data(), shape.sizes.size()));
    std::vector<const char *> names;
    for (const std::string &name : shape.names) {
        names.push_back(name.c_str());
    }
    check(api_, abi::set_symbolic_dimensions(api_, info.get(), names.data(), names.size()));
    check(api_, abi::inferred_output(api_, context_, index, info.get()));
}

SymbolicShape ShapeInference::axis(const SymbolicShape &shape, size_t axis) {
    if (!shape.known || axis >= shape.sizes.size()) {
        return {};
    }
    return {true, {shape.sizes[axis]}, {shape.names[axis]}};
}

SymbolicShape ShapeInference::fixed(const Dimensions &sizes) { return {true, sizes, std::vector<std::string>(sizes.size())}; }

SymbolicShape ShapeInference::concatenated(const SymbolicShape &a, const SymbolicShape &b) {
    if (!a.known || !b.known) {
        return {};
    }
    SymbolicShape both = a;
    both.sizes.insert(both.sizes.end(), b.sizes.begin(), b.sizes.end());
    both.names.insert(both.names.end(), b.names.begin(), b.names.end());
    return both;
}

}  // namespace holdfast::ort
