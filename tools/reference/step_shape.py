"""The step that every implementation takes in the benchmark: SmolLM2-135M's shape, random weights, a fixed batch."""

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

SEED = 20261122
VOCABULARY = 49152
HIDDEN = 576
LAYERS = 30
HEADS = 9
KEY_VALUE_HEADS = 3
HEAD_SIZE = HIDDEN // HEADS
INTERMEDIATE = 1536
NORM_EPSILON = 1e-5
ROTARY_BASE = 100000.0
INITIAL_DEVIATION = 0.04

ROWS = 4
TOKENS_PER_ROW = 256
RESPONSE_TOKENS = 424

LEARNING_RATE = 1e-3
WEIGHT_DECAY = 0.01
ADAM_BETAS = (0.9, 0.999)
ADAM_EPSILON = 1e-8
MAX_GRADIENT_NORM = 1.0

CONFIG: dict[str, object] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": VOCABULARY,
    "hidden_size": HIDDEN,
    "intermediate_size": INTERMEDIATE,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "num_key_value_heads": KEY_VALUE_HEADS,
    "max_position_embeddings": 8192,
    "hidden_act": "silu",
    "rms_norm_eps": NORM_EPSILON,
    "rope_theta": ROTARY_BASE,
    "rope_scaling": None,
    "attention_bias": False,
    "mlp_bias": False,
    "attention_dropout": 0.0,
    "tie_word_embeddings": True,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "torch_dtype": "float32",
}

# Exporting wants a tokenizer; the batch is of token ids, so it may know a single token.
TOKENIZER: dict[str, object] = {
    "version": "1.0",
    "added_tokens": [],
    "normalizer": None,
    "pre_tokenizer": None,
    "post_processor": None,
    "decoder": None,
    "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []},
}

Arrays = dict[str, NDArray[np.generic]]


def linear_shapes() -> dict[str, tuple[int, int]]:
    """The matrices [out, in] of a layer, by their names within it."""
    key_value = KEY_VALUE_HEADS * HEAD_SIZE
    return {
        "self_attn.q_proj": (HIDDEN, HIDDEN),
        "self_attn.k_proj": (key_value, HIDDEN),
        "self_attn.v_proj": (key_value, HIDDEN),
        "self_attn.o_proj": (HIDDEN, HIDDEN),
        "mlp.gate_proj": (INTERMEDIATE, HIDDEN),
        "mlp.up_proj": (INTERMEDIATE, HIDDEN),
        "mlp.down_proj": (HIDDEN, INTERMEDIATE),
    }


def parameter_shapes() -> dict[str, tuple[int, ...]]:
    """Shapes by the names that published checkpoints use."""
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (VOCABULARY, HIDDEN)}
    for layer in range(LAYERS):
        for name, shape in linear_shapes().items():
            shapes[f"model.layers.{layer}.{name}.weight"] = shape
        for name in ("input_layernorm", "post_attention_layernorm"):
            shapes[f"model.layers.{layer}.{name}.weight"] = (HIDDEN,)
    return shapes | {"model.norm.weight": (HIDDEN,)}


def matrix_product_operations() -> int:
    """Floating-point operations in the matrix products of one step, backward counted as twice forward."""
    tokens = ROWS * TOKENS_PER_ROW
    linear = 2 * tokens * LAYERS * sum(rows * columns for rows, columns in linear_shapes().values())
    attention = 4 * ROWS * LAYERS * HEADS * TOKENS_PER_ROW**2 * HEAD_SIZE
    head = 2 * RESPONSE_TOKENS * HIDDEN * VOCABULARY
    return 3 * (linear + attention + head)


def random_parameters() -> Arrays:
    generator = np.random.default_rng(SEED)
    values: Arrays = {}
    for name, shape in parameter_shapes().items():
        noise = generator.standard_normal(shape, dtype=np.float32)
        values[name] = 1 + np.float32(0.1) * noise if len(shape) == 1 else np.float32(INITIAL_DEVIATION) * noise
    return values


def random_batch() -> Arrays:
    """Token ids [rows, tokens]; the last tokens of each row are the response, predicted by the positions before them."""
    generator = np.random.default_rng(SEED + 1)
    input_ids = generator.integers(0, VOCABULARY, (ROWS, TOKENS_PER_ROW), dtype=np.int64)
    first = TOKENS_PER_ROW - 1 - RESPONSE_TOKENS // ROWS
    columns = np.arange(first, TOKENS_PER_ROW - 1, dtype=np.int64)
    positions = (np.arange(ROWS, dtype=np.int64)[:, None] * TOKENS_PER_ROW + columns).ravel()
    return {"input_ids": input_ids, "response_positions": positions, "labels": input_ids.ravel()[positions + 1]}


def write_model(folder: Path) -> None:
    """config.json, model.safetensors, tokenizer.json and batch.npz, for any implementation to start from."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n", encoding="utf-8")
    (folder / "tokenizer.json").write_text(json.dumps(TOKENIZER, indent=2) + "\n", encoding="utf-8")
    save_file(random_parameters(), folder / "model.safetensors", metadata={"format": "pt"})
    np.savez(folder / "batch.npz", **random_batch())


def read_batch(folder: Path) -> Arrays:
    with np.load(folder / "batch.npz") as batch:
        return dict(batch)


def measure(implementation: str, step: Callable[[], float], warmup_steps: int, steps: int) -> dict[str, object]:
    """Runs the step and describes it; a step returns its loss. The times are those of the steps after the warm-up."""
    losses, seconds = [], []
    for _ in range(warmup_steps + steps):
        started = time.perf_counter()
        losses.append(step())
        seconds.append(time.perf_counter() - started)
    measured = seconds[warmup_steps:]
    return {
        "implementation": implementation,
        "median_s": statistics.median(measured),
        "min_s": min(measured),
        "steps": steps,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "losses": losses,
    }


def describe(folder: Path) -> dict[str, object]:
    return {
        "model": str(folder),
        "rows": ROWS,
        "tokens_per_row": TOKENS_PER_ROW,
        "response_tokens": RESPONSE_TOKENS,
        "matrix_product_operations": matrix_product_operations(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes the benchmark's model and batch, unless they are there, and describes the step.")
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    if not all((folder / name).exists() for name in ("tokenizer.json", "batch.npz")):
        write_model(folder)
    print(json.dumps(describe(folder)))


if __name__ == "__main__":
    main()
