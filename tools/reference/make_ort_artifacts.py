"""Makes training artifacts with ONNX Runtime's own tool, and ten AdamW steps run by ONNX Runtime's own Python session.

Needs the packages of requirements-ort.txt.
Usage: python make_ort_artifacts.py java/src/test/resources/golden/ort-artifacts

Every folder holds the four files of `generate_artifacts`, `batches.npz` (arrays `<input><step>`) and `expected.npz`
(the loss of each step, then every parameter after the last).
"""

import pathlib
import shutil
import sys
import types

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

# The package's own __init__ wants PyTorch; the two modules used here do not.
training = types.ModuleType("onnxruntime.training")
training.__path__ = [str(pathlib.Path(onnxruntime.__file__).parent / "training")]
sys.modules["onnxruntime.training"] = training

from onnxruntime.training import api, artifacts  # noqa: E402

STEPS = 10
LEARNING_RATE = 1e-2

Arrays = dict[str, np.ndarray]

# A forward model, the loss to put on it, its frozen parameters, and the inputs of every step.
Made = tuple[onnx.ModelProto, artifacts.LossType, list[str], Arrays]


def initializer(random: np.random.Generator, name: str, *shape: int) -> onnx.TensorProto:
    return numpy_helper.from_array((random.standard_normal(shape) * 0.3).astype(np.float32), name)


def forward_model(
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    output: onnx.ValueInfoProto,
    weights: list[onnx.TensorProto],
) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "forward", inputs, [output], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="holdfast-golden")


def value(name: str, element_type: int, *dimensions: int | str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, element_type, dimensions)


def classifier(random: np.random.Generator) -> Made:
    """A multi-layer perceptron with cross-entropy: input [batch, 6] FLOAT, labels [batch] INT64 of 4 classes."""
    nodes = [
        helper.make_node("Gemm", ["input", "hidden.weight", "hidden.bias"], ["hidden"], transB=1),
        helper.make_node("Relu", ["hidden"], ["activation"]),
        helper.make_node("Gemm", ["activation", "output.weight", "output.bias"], ["logits"], transB=1),
    ]
    weights = [
        initializer(random, "hidden.weight", 8, 6),
        initializer(random, "hidden.bias", 8),
        initializer(random, "output.weight", 4, 8),
        initializer(random, "output.bias", 4),
    ]
    model = forward_model(nodes, [value("input", TensorProto.FLOAT, "batch", 6)], value("logits", TensorProto.FLOAT, "batch", 4), weights)
    batches = {}
    for step in range(STEPS):
        batches[f"input{step}"] = random.standard_normal((5, 6)).astype(np.float32)
        batches[f"labels{step}"] = random.integers(0, 4, (5,)).astype(np.int64)
    return model, artifacts.LossType.CrossEntropyLoss, [], batches


def regression(random: np.random.Generator) -> Made:
    """A linear map with a frozen scale and the mean squared error: x1 [batch, 3] FLOAT (its name ends in a digit), target [batch, 2]."""
    nodes = [
        helper.make_node("MatMul", ["x1", "weight"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["sum"]),
        helper.make_node("Mul", ["sum", "scale"], ["prediction"]),
    ]
    weights = [initializer(random, "weight", 3, 2), initializer(random, "bias", 2), initializer(random, "scale", 2)]
    model = forward_model(nodes, [value("x1", TensorProto.FLOAT, "batch", 3)], value("prediction", TensorProto.FLOAT, "batch", 2), weights)
    batches = {}
    for step in range(STEPS):
        batches[f"x1{step}"] = random.standard_normal((4, 3)).astype(np.float32)
        batches[f"target{step}"] = random.standard_normal((4, 2)).astype(np.float32)
    return model, artifacts.LossType.MSELoss, ["scale"], batches


def embedding(random: np.random.Generator) -> Made:
    """An embedding and a linear head with cross-entropy over every token.

    Its inputs: input_ids [batch, sequence] INT64, labels [batch * sequence] INT64.
    """
    nodes = [
        helper.make_node("Gather", ["embed.weight", "input_ids"], ["embedded"]),
        helper.make_node("MatMul", ["embedded", "head.weight"], ["token_logits"]),
        helper.make_node("Reshape", ["token_logits", "flat"], ["logits"]),
    ]
    weights = [
        initializer(random, "embed.weight", 16, 4),
        initializer(random, "head.weight", 4, 16),
        numpy_helper.from_array(np.array([-1, 16], np.int64), "flat"),
    ]
    model = forward_model(
        nodes, [value("input_ids", TensorProto.INT64, "batch", "sequence")], value("logits", TensorProto.FLOAT, "tokens", 16), weights
    )
    batches = {}
    for step in range(STEPS):
        batches[f"input_ids{step}"] = random.integers(0, 16, (2, 3)).astype(np.int64)
        batches[f"labels{step}"] = random.integers(0, 16, (6,)).astype(np.int64)
    return model, artifacts.LossType.CrossEntropyLoss, [], batches


def write(folder: pathlib.Path, made: Made) -> None:
    model, loss, frozen, batches = made
    onnx.checker.check_model(model)
    trainable = [w.name for w in model.graph.initializer if w.name not in frozen and w.data_type == TensorProto.FLOAT]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    artifacts.generate_artifacts(
        model,
        requires_grad=trainable,
        frozen_params=frozen,
        loss=loss,
        optimizer=artifacts.OptimType.AdamW,
        artifact_directory=str(folder),
    )
    np.savez(folder / "batches.npz", **batches)
    np.savez(folder / "expected.npz", **run(folder, batches, trainable))


def run(folder: pathlib.Path, batches: Arrays, trainable: list[str]) -> Arrays:
    state = api.CheckpointState.load_checkpoint(folder / "checkpoint")
    module = api.Module(folder / "training_model.onnx", state, folder / "eval_model.onnx")
    optimizer = api.Optimizer(folder / "optimizer_model.onnx", module)
    optimizer.set_learning_rate(LEARNING_RATE)
    losses = []
    module.train()
    for step in range(STEPS):
        inputs = [batches[f"{name}{step}"] for name in module.input_names()]
        module.lazy_reset_grad()
        output = module(*inputs)
        losses.append(np.asarray(output if np.isscalar(output) or isinstance(output, np.ndarray) else output[0], np.float32))
        optimizer.step()
    module.eval()
    last = module(*[batches[f"{name}{STEPS - 1}"] for name in module.input_names()])
    evaluated = np.asarray(last if np.isscalar(last) or isinstance(last, np.ndarray) else last[0], np.float32)
    expected = {"losses": np.array([loss.reshape(()) for loss in losses], np.float32), "eval_loss": evaluated.reshape(())}
    for name in trainable:
        expected[f"parameter.{name}"] = np.asarray(state.parameters[name].data, np.float32)
    return expected


def main() -> None:
    target = pathlib.Path(sys.argv[1])
    for seed, make in enumerate([classifier, regression, embedding]):
        write(target / make.__name__, make(np.random.default_rng(seed)))
        print(target / make.__name__)


if __name__ == "__main__":
    main()
