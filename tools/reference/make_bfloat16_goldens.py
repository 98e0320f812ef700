"""Makes onnx-artifacts/golden/<family>/bfloat16.json: how far PyTorch's autocast to bfloat16 strays from the golden truth.

Reads the models, batches and gradients that make_family_goldens.py left there.

Usage: python make_bfloat16_goldens.py [--out DIR] [--family NAME ...]
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import cosine_similarity, cross_entropy
from transformers import PreTrainedModel

from families import FAMILIES
from make_family_goldens import REPOSITORY, Batch, build_model, response_logits, write_json


def autocast_pass(model: PreTrainedModel, batch: Batch) -> Tensor:
    """The loss as autocast computes it; gradients stay with the parameters."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = response_logits(model, batch)
    loss = cross_entropy(logits.float(), batch.labels)
    loss.backward()
    return loss.detach()


def cosine(ours: Tensor, truth: Tensor) -> float:
    return cosine_similarity(ours.double().flatten(), truth.double().flatten(), dim=0).item()


def make_golden(folder: Path) -> None:
    golden = load_file(folder / "golden.safetensors")
    model = build_model(folder, load_file(folder / "model.safetensors"))
    loss = autocast_pass(model, Batch(golden["input_ids"], golden["response_positions"], golden["labels"]))
    cosines = {name: cosine(parameter.grad, golden[f"grad.{name}"]) for name, parameter in model.named_parameters()}
    error = abs(loss.item() - golden["loss64"].item())
    write_json(folder / "bfloat16.json", {"torch": torch.__version__, "loss_error": error, "gradient_cosines": cosines})
    print(f"{folder}: loss error {error:.2e}, smallest cosine {min(cosines.values()):.6f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures PyTorch's autocast to bfloat16 on the golden models.")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "onnx-artifacts" / "golden")
    parser.add_argument("--family", choices=list(FAMILIES), nargs="*", default=list(FAMILIES))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in arguments.family:
        make_golden(arguments.out / name)


if __name__ == "__main__":
    main()
