"""Makes java/src/test/resources/golden/gguf/: small GGUF files and what they mean.

types.gguf            a tensor of every type that Holdfast reads, of random bits, and metadata of every type
types.safetensors     the same tensors as the gguf package dequantises them
<family>/             a tiny random model as Hugging Face's transformers save it (config.json, safetensors)
<family>.gguf         the same model as llama.cpp's convert_hf_to_gguf.py converts it

Usage: python make_gguf_goldens.py [--out DIR]
"""

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType, GGUFValueType, GGUFWriter
from gguf.quants import dequantize, quantize
from numpy.typing import NDArray
from safetensors.numpy import save_file

REPOSITORY = Path(__file__).resolve().parents[2]
SEED = 20261122
ROWS, COLUMNS = 3, 512
# Where in a block the half-precision scales lie: they must be finite numbers, everything else may be any bits.
SCALE_OFFSETS = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}

Array = NDArray[np.generic]
Weights = dict[str, Array]


def random_blocks(generator: np.random.Generator, kind: GGMLQuantizationType) -> Array:
    """Rows of blocks with random bits and finite scales."""
    block_length, block_bytes = gguf.GGML_QUANT_SIZES[kind]
    blocks = generator.integers(0, 256, (ROWS, COLUMNS // block_length, block_bytes), dtype=np.uint8)
    for offset in SCALE_OFFSETS[kind.name]:
        scales = generator.normal(0, 0.1, blocks.shape[:2]).astype(np.float16)
        scales[0, 0] = np.float16(6e-8)  # a subnormal
        blocks[..., offset : offset + 2] = scales[..., None].view(np.uint8)
    return blocks.reshape(ROWS, -1)


def write_types(folder: Path) -> None:
    """Writes types.gguf and types.safetensors."""
    generator = np.random.default_rng(SEED)
    writer = GGUFWriter(folder / "types.gguf", "llama")
    add_metadata(writer)
    values: Weights = {}
    floats = generator.normal(0, 1, (ROWS, COLUMNS)).astype(np.float32)
    for kind in (GGMLQuantizationType.F32, GGMLQuantizationType.F16, GGMLQuantizationType.BF16):
        stored = quantize(floats, kind)
        add(writer, kind.name, stored, kind)
        values[kind.name] = dequantize(stored, kind).astype(np.float32)
    for name in SCALE_OFFSETS:
        kind = GGMLQuantizationType[name]
        stored = random_blocks(generator, kind)
        add(writer, name, stored, kind)
        values[name] = dequantize(stored, kind)
    finish(writer)
    save_file(values, folder / "types.safetensors")


def add_metadata(writer: GGUFWriter) -> None:
    """Adds a value of every metadata type, extremes among them."""
    writer.add_uint8("test.uint8", 255)
    writer.add_int8("test.int8", -128)
    writer.add_uint16("test.uint16", 65535)
    writer.add_int16("test.int16", -32768)
    writer.add_uint32("test.uint32", 4294967295)
    writer.add_int32("test.int32", -2147483648)
    writer.add_uint64("test.uint64", 2**63 - 1)
    writer.add_key_value("test.int64", -(2**63), GGUFValueType.INT64)
    writer.add_float32("test.float32", 0.1)
    writer.add_float64("test.float64", 0.1)
    writer.add_bool("test.bool", True)
    writer.add_string("test.string", "Grüße 🦙")
    writer.add_array("test.strings", ["a", "", "ö"])
    writer.add_array("test.integers", [1, -2, 3])
    writer.add_array("test.booleans", [True, False])
    writer.add_array("test.nested", [[1, 2], [3]])


def add(writer: GGUFWriter, name: str, stored: Array, kind: GGMLQuantizationType) -> None:
    """Adds a tensor that is already in its stored form."""
    writer.add_tensor(name, np.ascontiguousarray(stored), raw_dtype=kind)


def finish(writer: GGUFWriter) -> None:
    """Writes everything that was added."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@dataclass(frozen=True)
class Family:
    """A tiny model: its configuration, its parameters' shapes, its name and metadata in GGUF."""

    config: dict[str, object]
    shapes: dict[str, tuple[int, ...]]
    arch: gguf.MODEL_ARCH
    add_metadata: Callable[[GGUFWriter, dict[str, object]], None]
    matrix_type: GGMLQuantizationType


LAYERS, VOCABULARY, CONTEXT, HIDDEN, INNER, HEADS, KEY_VALUE_HEADS = 2, 32, 64, 16, 24, 4, 2


def decoder_shapes(head_size: int, *, bias: bool, norms: bool, head: bool) -> dict[str, tuple[int, ...]]:
    """The parameters of Llama and its kin."""
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (VOCABULARY, HIDDEN)}
    widths = {"q": HEADS * head_size, "k": KEY_VALUE_HEADS * head_size, "v": KEY_VALUE_HEADS * head_size}
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}."
        shapes[prefix + "input_layernorm.weight"] = (HIDDEN,)
        for name, width in widths.items():
            shapes[f"{prefix}self_attn.{name}_proj.weight"] = (width, HIDDEN)
            if bias:
                shapes[f"{prefix}self_attn.{name}_proj.bias"] = (width,)
        if norms:
            shapes[prefix + "self_attn.q_norm.weight"] = (head_size,)
            shapes[prefix + "self_attn.k_norm.weight"] = (head_size,)
        shapes[prefix + "self_attn.o_proj.weight"] = (HIDDEN, HEADS * head_size)
        shapes[prefix + "post_attention_layernorm.weight"] = (HIDDEN,)
        shapes[prefix + "mlp.gate_proj.weight"] = (INNER, HIDDEN)
        shapes[prefix + "mlp.up_proj.weight"] = (INNER, HIDDEN)
        shapes[prefix + "mlp.down_proj.weight"] = (HIDDEN, INNER)
    shapes["model.norm.weight"] = (HIDDEN,)
    if head:
        shapes["lm_head.weight"] = (VOCABULARY, HIDDEN)
    return shapes


def gpt2_shapes() -> dict[str, tuple[int, ...]]:
    """The parameters of GPT-2, whose Conv1D matrices are [in, out]."""
    shapes: dict[str, tuple[int, ...]] = {"transformer.wte.weight": (VOCABULARY, HIDDEN), "transformer.wpe.weight": (CONTEXT, HIDDEN)}
    for layer in range(LAYERS):
        prefix = f"transformer.h.{layer}."
        matrices = {"attn.c_attn": 3 * HIDDEN, "attn.c_proj": HIDDEN, "mlp.c_fc": 4 * HIDDEN, "mlp.c_proj": HIDDEN}
        for norm in ("ln_1", "ln_2"):
            shapes[f"{prefix}{norm}.weight"] = shapes[f"{prefix}{norm}.bias"] = (HIDDEN,)
        for name, width in matrices.items():
            shapes[f"{prefix}{name}.weight"] = (4 * HIDDEN if name == "mlp.c_proj" else HIDDEN, width)
            shapes[f"{prefix}{name}.bias"] = (width,)
    shapes["transformer.ln_f.weight"] = shapes["transformer.ln_f.bias"] = (HIDDEN,)
    return shapes


def decoder_config(class_name: str, model_type: str, head_size: int, **more: object) -> dict[str, object]:
    """The config.json of Llama and its kin."""
    return {
        "architectures": [class_name],
        "model_type": model_type,
        "hidden_size": HIDDEN,
        "intermediate_size": INNER,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KEY_VALUE_HEADS,
        "head_dim": head_size,
        "max_position_embeddings": CONTEXT,
        "rms_norm_eps": 1e-5,
        "hidden_act": "silu",
        "rope_theta": 10000.0,
        "rope_scaling": None,
        "vocab_size": VOCABULARY,
        "tie_word_embeddings": True,
        "bos_token_id": 1,
        "eos_token_id": 2,
    } | more


def add_decoder_metadata(writer: GGUFWriter, config: dict[str, object]) -> None:
    """As TextModel.set_gguf_parameters of convert_hf_to_gguf.py."""
    writer.add_block_count(LAYERS)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_VALUE_HEADS)
    writer.add_rope_freq_base(float(config["rope_theta"]))
    writer.add_layer_norm_rms_eps(float(config["rms_norm_eps"]))
    writer.add_key_length(int(config["head_dim"]))
    writer.add_value_length(int(config["head_dim"]))
    if config["model_type"] == "llama":
        writer.add_vocab_size(VOCABULARY)
        writer.add_rope_dimension_count(int(config["head_dim"]))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)


def add_gpt2_metadata(writer: GGUFWriter, config: dict[str, object]) -> None:
    """As GPT2Model.set_gguf_parameters of convert_hf_to_gguf.py."""
    writer.add_block_count(LAYERS)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(4 * HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_eps(float(config["layer_norm_epsilon"]))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)


LLAMA3_ROPE = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
GPT2_CONFIG = {
    "architectures": ["GPT2LMHeadModel"],
    "model_type": "gpt2",
    "n_embd": HIDDEN,
    "n_layer": LAYERS,
    "n_head": HEADS,
    "n_inner": 4 * HIDDEN,
    "n_positions": CONTEXT,
    "layer_norm_epsilon": 1e-5,
    "activation_function": "gelu_new",
    "vocab_size": VOCABULARY,
    "tie_word_embeddings": True,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
FAMILIES = {
    "llama": Family(
        decoder_config("LlamaForCausalLM", "llama", 8, rope_theta=500.0, rope_scaling=LLAMA3_ROPE, tie_word_embeddings=False),
        decoder_shapes(8, bias=False, norms=False, head=True),
        gguf.MODEL_ARCH.LLAMA,
        add_decoder_metadata,
        GGMLQuantizationType.BF16,
    ),
    "qwen2": Family(
        decoder_config("Qwen2ForCausalLM", "qwen2", 4),
        decoder_shapes(4, bias=True, norms=False, head=False),
        gguf.MODEL_ARCH.QWEN2,
        add_decoder_metadata,
        GGMLQuantizationType.F16,
    ),
    "qwen3": Family(
        decoder_config("Qwen3ForCausalLM", "qwen3", 8),
        decoder_shapes(8, bias=False, norms=True, head=False),
        gguf.MODEL_ARCH.QWEN3,
        add_decoder_metadata,
        GGMLQuantizationType.F32,
    ),
    "gpt2": Family(GPT2_CONFIG, gpt2_shapes(), gguf.MODEL_ARCH.GPT2, add_gpt2_metadata, GGMLQuantizationType.F16),
}


def permute(weight: Array, head_count: int) -> Array:
    """As LlamaModel.permute of convert_hf_to_gguf.py."""
    split = weight.reshape(head_count, 2, weight.shape[0] // head_count // 2, *weight.shape[1:])
    return split.swapaxes(1, 2).reshape(weight.shape)


def converted(family: Family, name: str, weight: Array) -> Array:
    """As modify_tensors of the family's class in convert_hf_to_gguf.py."""
    if family.arch == gguf.MODEL_ARCH.LLAMA and name.endswith("q_proj.weight"):
        return permute(weight, HEADS)
    if family.arch == gguf.MODEL_ARCH.LLAMA and name.endswith("k_proj.weight"):
        return permute(weight, KEY_VALUE_HEADS)
    if name.endswith((".c_attn.weight", ".c_proj.weight", ".c_fc.weight")):
        return weight.transpose()
    return weight


def llama3_factors(config: dict[str, object]) -> Array:
    """As LlamaModel.generate_extra_tensors of convert_hf_to_gguf.py."""
    scaling = LLAMA3_ROPE
    size = int(config["head_dim"])
    frequencies = 1.0 / (float(config["rope_theta"]) ** (np.arange(0, size, 2, dtype=np.float32) / size))
    low, high, factor = float(scaling["low_freq_factor"]), float(scaling["high_freq_factor"]), float(scaling["factor"])
    context = float(scaling["original_max_position_embeddings"])
    factors = []
    for wavelength in 2 * math.pi / frequencies:
        smooth = (context / wavelength - low) / (high - low)
        between = 1 / ((1 - smooth) / factor + smooth)
        factors.append(1.0 if wavelength < context / high else factor if wavelength > context / low else between)
    return np.array(factors, dtype=np.float32)


def representable(weight: Array, kind: GGMLQuantizationType) -> Array:
    """The nearest values that the type holds, as float32."""
    return dequantize(quantize(weight, kind), kind).astype(np.float32)


def write_family(folder: Path, name: str, family: Family) -> None:
    """Writes a model both ways."""
    generator = np.random.default_rng([SEED, *name.encode()])
    weights: Weights = {key: generator.normal(0, 0.5, shape).astype(np.float32) for key, shape in family.shapes.items()}
    matrices = {key: family.matrix_type if weight.ndim == 2 else GGMLQuantizationType.F32 for key, weight in weights.items()}
    weights = {key: representable(weight, matrices[key]) for key, weight in weights.items()}
    model = folder / name
    model.mkdir(parents=True, exist_ok=True)
    (model / "config.json").write_text(json.dumps(family.config, indent=2) + "\n")
    save_file(weights, model / "model.safetensors")

    writer = GGUFWriter(folder / f"{name}.gguf", gguf.MODEL_ARCH_NAMES[family.arch])
    family.add_metadata(writer, family.config)
    names = gguf.get_tensor_name_map(family.arch, LAYERS)
    for key, weight in weights.items():
        gguf_name = names.get_name(key, try_suffixes=(".weight", ".bias"))
        add(writer, gguf_name, quantize(np.ascontiguousarray(converted(family, key, weight)), matrices[key]), matrices[key])
    if family.config.get("rope_scaling"):
        add(writer, "rope_freqs.weight", llama3_factors(family.config), GGMLQuantizationType.F32)
    finish(writer)


def main() -> None:
    """Makes all goldens."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "java/src/test/resources/golden/gguf")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    write_types(folder)
    for name, family in FAMILIES.items():
        write_family(folder, name, family)


if __name__ == "__main__":
    main()
