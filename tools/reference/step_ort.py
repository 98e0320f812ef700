"""The benchmark's step on training artifacts that ONNX Runtime's own generate_artifacts makes; prints one line of JSON.

`artifacts` makes them from a forward graph in plain ONNX operators, as exporters write it; `step` measures; `matmul` measures
the rate of ONNX Runtime's matrix product. Each is a process of its own, so that peak memory is the step's alone.
"""

import argparse
import json
import statistics
import sys
import time
import types
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

import step_shape as shape

# The package's own __init__ wants PyTorch; the modules used here do not.
training = types.ModuleType("onnxruntime.training")
training.__path__ = [str(Path(onnxruntime.__file__).parent / "training")]
sys.modules["onnxruntime.training"] = training

from onnxruntime.training import api, artifacts, onnxblock  # noqa: E402

LOG_ERRORS = 3
OPSET = 17
MATMUL_SIZE = 3072
MATMUL_RUNS = 7


class ForwardGraph:
    """Collects nodes, weights and constants of the decoder, from token ids to logits at the response positions."""

    def __init__(self, parameters: dict[str, NDArray[np.float32]]) -> None:
        """Starts with the parameters of a checkpoint, matrices [out, in]."""
        self.parameters = parameters
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def add(self, operator: str, *inputs: str, outputs: int = 1, **attributes: object) -> list[str]:
        names = [f"{operator}_{len(self.nodes)}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, name=f"{operator}_{len(self.nodes)}", **attributes))
        return names

    def one(self, operator: str, *inputs: str, **attributes: object) -> str:
        return self.add(operator, *inputs, **attributes)[0]

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants.setdefault(name, numpy_helper.from_array(value, name))
        return name

    def scalar(self, name: str, value: float) -> str:
        return self.constant(name, np.array(value, np.float32))

    def dimensions(self, *values: int) -> str:
        return self.constant("dimensions_" + "_".join(map(str, values)), np.array(values, np.int64))

    def weight(self, name: str, value: NDArray[np.float32]) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def linear(self, name: str, x: str) -> str:
        return self.one("MatMul", x, self.weight(name, self.parameters[name].T))

    def norm(self, name: str, x: str) -> str:
        mean_square = self.one("ReduceMean", self.one("Pow", x, self.scalar("two", 2.0)), axes=[-1], keepdims=1)
        deviation = self.one("Sqrt", self.one("Add", mean_square, self.scalar("epsilon", shape.NORM_EPSILON)))
        return self.one("Mul", self.one("Div", x, deviation), self.weight(name, self.parameters[name]))

    def heads(self, x: str, count: int) -> str:
        """[B, T, count * D] to [B, count, T, D]."""
        split = self.one("Reshape", x, self.dimensions(0, 0, count, shape.HEAD_SIZE))
        return self.one("Transpose", split, perm=[0, 2, 1, 3])

    def rotate(self, x: str) -> str:
        first, second = self.add("Split", x, outputs=2, axis=-1)
        turned = self.one("Concat", self.one("Neg", second), first, axis=-1)
        cosine, sine = rotary_table()
        straight = self.one("Mul", x, self.constant("cosine", cosine))
        return self.one("Add", straight, self.one("Mul", turned, self.constant("sine", sine)))

    def repeat(self, x: str) -> str:
        """A key-value head for every query head that shares it."""
        rows, count, tokens, size = shape.ROWS, shape.KEY_VALUE_HEADS, shape.TOKENS_PER_ROW, shape.HEAD_SIZE
        group = shape.HEADS // count
        wide = self.one("Unsqueeze", x, self.dimensions(2))
        repeated = self.one("Expand", wide, self.dimensions(rows, count, group, tokens, size))
        return self.one("Reshape", repeated, self.dimensions(rows, shape.HEADS, tokens, size))

    def attention(self, prefix: str, x: str) -> str:
        query = self.rotate(self.heads(self.linear(f"{prefix}.q_proj.weight", x), shape.HEADS))
        key = self.repeat(self.rotate(self.heads(self.linear(f"{prefix}.k_proj.weight", x), shape.KEY_VALUE_HEADS)))
        value = self.repeat(self.heads(self.linear(f"{prefix}.v_proj.weight", x), shape.KEY_VALUE_HEADS))
        scores = self.one("MatMul", query, self.one("Transpose", key, perm=[0, 1, 3, 2]))
        scaled = self.one("Mul", scores, self.scalar("scale", shape.HEAD_SIZE**-0.5))
        masked = self.one("Add", scaled, self.constant("causal_mask", causal_mask()))
        mixed = self.one("MatMul", self.one("Softmax", masked, axis=-1), value)
        joined = self.one("Reshape", self.one("Transpose", mixed, perm=[0, 2, 1, 3]), self.dimensions(0, 0, shape.HIDDEN))
        return self.linear(f"{prefix}.o_proj.weight", joined)

    def feed_forward(self, prefix: str, x: str) -> str:
        gate = self.linear(f"{prefix}.gate_proj.weight", x)
        activated = self.one("Mul", gate, self.one("Sigmoid", gate))
        product = self.one("Mul", activated, self.linear(f"{prefix}.up_proj.weight", x))
        return self.linear(f"{prefix}.down_proj.weight", product)

    def decoder(self) -> str:
        embedding = self.weight("model.embed_tokens.weight", self.parameters["model.embed_tokens.weight"])
        x = self.one("Gather", embedding, "input_ids")
        for layer in range(shape.LAYERS):
            prefix = f"model.layers.{layer}"
            x = self.one("Add", x, self.attention(f"{prefix}.self_attn", self.norm(f"{prefix}.input_layernorm.weight", x)))
            x = self.one("Add", x, self.feed_forward(f"{prefix}.mlp", self.norm(f"{prefix}.post_attention_layernorm.weight", x)))
        rows = self.one("Reshape", self.norm("model.norm.weight", x), self.dimensions(-1, shape.HIDDEN))
        responses = self.one("Gather", rows, "response_positions")
        return self.one("MatMul", responses, self.one("Transpose", embedding, perm=[1, 0]))

    def model(self) -> onnx.ModelProto:
        logits = self.decoder()
        inputs = [
            helper.make_tensor_value_info("input_ids", TensorProto.INT64, [shape.ROWS, shape.TOKENS_PER_ROW]),
            helper.make_tensor_value_info("response_positions", TensorProto.INT64, [shape.RESPONSE_TOKENS]),
        ]
        output = helper.make_tensor_value_info(logits, TensorProto.FLOAT, [shape.RESPONSE_TOKENS, shape.VOCABULARY])
        graph = helper.make_graph(self.nodes, "decoder", inputs, [output], [*self.weights, *self.constants.values()])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def rotary_table() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cosine and sine [T, D] of position times frequency, the frequencies twice."""
    frequencies = shape.ROTARY_BASE ** (-np.arange(0, shape.HEAD_SIZE, 2) / shape.HEAD_SIZE)
    angles = np.outer(np.arange(shape.TOKENS_PER_ROW), np.concatenate([frequencies, frequencies]))
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def causal_mask() -> NDArray[np.float32]:
    """0 up to the diagonal and a number that leaves no weight above it, [T, T]."""
    return np.triu(np.full((shape.TOKENS_PER_ROW, shape.TOKENS_PER_ROW), -1e9, np.float32), 1)


def make_artifacts(folder: Path) -> None:
    target = folder / "ort-artifacts"
    target.mkdir(exist_ok=True)
    graph = ForwardGraph(load_file(folder / "model.safetensors"))
    optimizer = onnxblock.optim.AdamW(
        betas=shape.ADAM_BETAS,
        eps=shape.ADAM_EPSILON,
        weight_decay=shape.WEIGHT_DECAY,
        clip_grad=onnxblock.optim.ClipGradNorm(shape.MAX_GRADIENT_NORM),
    )
    artifacts.generate_artifacts(
        graph.model(),
        requires_grad=[weight.name for weight in graph.weights],
        loss=artifacts.LossType.CrossEntropyLoss,
        optimizer=optimizer,
        artifact_directory=target,
    )
    use_torch_adamw(target / "optimizer_model.onnx")


def use_torch_adamw(optimizer_model: Path) -> None:
    """Corrects the second moment's bias before epsilon is added, as PyTorch does; the tool writes the other order."""
    model = onnx.load(optimizer_model)
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name == "adam_mode":
                attribute.i = 0
    onnx.save(model, optimizer_model)


def session_options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return options


def run_step(folder: Path, threads: int, warmup_steps: int, steps: int) -> dict[str, object]:
    source = folder / "ort-artifacts"
    state = api.CheckpointState.load_checkpoint(source / "checkpoint")
    module = api.Module(source / "training_model.onnx", state, session_options=session_options(threads))
    optimizer = api.Optimizer(source / "optimizer_model.onnx", module)
    optimizer.set_learning_rate(shape.LEARNING_RATE)
    batch = shape.read_batch(folder)
    inputs = [batch[name] for name in module.input_names()]

    def step() -> float:
        loss = module(*inputs)
        optimizer.step()
        module.lazy_reset_grad()
        return float(loss)

    return shape.measure("ort-artifacts", step, warmup_steps, steps) | {"version": onnxruntime.__version__}


def run_matmul(threads: int) -> dict[str, object]:
    """The rate of one large square product, both sides given at run time."""
    sides = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [MATMUL_SIZE, MATMUL_SIZE]) for name in "abc"]
    graph = helper.make_graph([helper.make_node("MatMul", ["a", "b"], ["c"])], "product", sides[:2], sides[2:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), session_options(threads), providers=["CPUExecutionProvider"])
    generator = np.random.default_rng(shape.SEED)
    inputs = {name: generator.standard_normal((MATMUL_SIZE, MATMUL_SIZE), dtype=np.float32) for name in "ab"}
    seconds = []
    for _ in range(MATMUL_RUNS):
        started = time.perf_counter()
        session.run(None, inputs)
        seconds.append(time.perf_counter() - started)
    operations = 2 * MATMUL_SIZE**3
    return {
        "implementation": "ort-matmul-fp32",
        "size": MATMUL_SIZE,
        "median_gflops": operations / statistics.median(seconds[1:]) / 1e9,
        "best_gflops": operations / min(seconds[1:]) / 1e9,
        "version": onnxruntime.__version__,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures the benchmark's step on ONNX Runtime's own artifacts.")
    parser.add_argument("task", choices=("artifacts", "step", "matmul"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warmup_steps", type=int, default=1)
    parser.add_argument("--steps", type=int, default=5)
    arguments = parser.parse_args()
    onnxruntime.set_default_logger_severity(LOG_ERRORS)
    if arguments.task == "artifacts":
        make_artifacts(arguments.folder)
    elif arguments.task == "step":
        print(json.dumps(run_step(arguments.folder, arguments.threads, arguments.warmup_steps, arguments.steps)))
    else:
        print(json.dumps(run_matmul(arguments.threads)))


if __name__ == "__main__":
    main()
