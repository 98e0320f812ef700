"""Makes onnx-artifacts/golden/<family>/lora/: an adapter that PEFT wrote for a golden model, and what PyTorch computes with it.

The golden models themselves are made by make_family_goldens.py; onnx-artifacts/golden/README.md describes the files.

Usage: python make_lora_goldens.py [--out DIR] [--family NAME ...]
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import cross_entropy

from double_precision import double_precision
from families import FAMILIES
from make_family_goldens import (
    ADAM_BETAS,
    ADAM_EPSILON,
    LEARNING_RATE,
    MAX_GRADIENT_NORM,
    REPOSITORY,
    STEPS,
    WEIGHT_DECAY,
    Batch,
    Tensors,
    build_model,
    make_batches,
    response_logits,
    save_tensors,
)

SEED = 20261128
PEFT_PREFIX = "base_model.model."


@dataclass(frozen=True)
class Adapter:
    """The settings of one family's adapter."""

    targets: list[str] | str
    rank: int
    alpha: int
    rslora: bool = False

    def config(self) -> LoraConfig:
        return LoraConfig(r=self.rank, lora_alpha=self.alpha, target_modules=self.targets, use_rslora=self.rslora, task_type="CAUSAL_LM")


# Every way to name layers, ranks that are no multiple of a vector, both scales, layers with biases, layers stored [in, out].
ADAPTERS = {
    "llama": Adapter(["q_proj", "v_proj"], rank=4, alpha=8),
    "llama3": Adapter("all-linear", rank=2, alpha=3, rslora=True),
    "qwen2": Adapter(["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"], rank=3, alpha=6),
    "qwen3": Adapter(["self_attn.o_proj", "layers.1.mlp.down_proj"], rank=5, alpha=5),
    "mistral": Adapter(["gate_proj", "down_proj"], rank=1, alpha=4),
    "gpt2": Adapter(["c_attn", "c_proj", "mlp.c_fc"], rank=3, alpha=7, rslora=True),
}


@dataclass(frozen=True)
class GoldenModel:
    """A golden model and the adapter that it is given."""

    folder: Path
    weights: Tensors
    adapter: Adapter

    def with_fresh_adapter(self) -> PeftModel:
        """In the precision of the moment."""
        return get_peft_model(build_model(self.folder, self.weights), self.adapter.config()).eval()

    def with_adapter(self, values: Tensors) -> PeftModel:
        model = self.with_fresh_adapter()
        for name, parameter in trained(model).items():
            parameter.data.copy_(values[name])
        return model


def trained(model: PeftModel) -> dict[str, torch.nn.Parameter]:
    """The adapter's parameters without what PEFT puts around their names."""
    return {
        name.removeprefix(PEFT_PREFIX).replace(".default", ""): parameter
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }


def random_values(model: PeftModel, generator: torch.Generator) -> Tensors:
    """Values at which both halves matter; PEFT's B would be zero."""
    return {name: 0.2 * torch.randn(parameter.shape, generator=generator) for name, parameter in trained(model).items()}


def single_pass(model: PeftModel, batch: Batch) -> Tensors:
    """Logits, mean cross-entropy and its gradient by every parameter of the adapter; logits of padding are 0."""
    logits = model(input_ids=batch.input_ids, use_cache=False).logits
    loss = cross_entropy(logits.flatten(0, 1)[batch.response_positions], batch.labels)
    loss.backward()
    is_real = (batch.input_ids != 0).unsqueeze(-1)
    gradients = {f"grad.{name}": parameter.grad.clone() for name, parameter in trained(model).items()}
    return {"logits": logits.detach().where(is_real, 0.0), "loss": loss.detach(), **gradients}


def train(model: PeftModel, batches: list[Batch]) -> dict[str, list[float]]:
    """Ten optimizer steps of supervised fine-tuning."""
    parameters = list(trained(model).values())
    optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE, betas=ADAM_BETAS, eps=ADAM_EPSILON, weight_decay=WEIGHT_DECAY)
    losses, norms = [], []
    for step in range(STEPS):
        batch = batches[step % len(batches)]
        loss = cross_entropy(response_logits(model, batch), batch.labels)
        optimizer.zero_grad()
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(parameters, MAX_GRADIENT_NORM).item())
        optimizer.step()
        losses.append(loss.item())
    return {"losses": losses, "gradient_norms": norms}


def merged_weight(model: PeftModel) -> tuple[str, Tensor]:
    """The first adapted layer's weight after PEFT has merged the adapter, and its name."""
    name = next(name for name in trained(model) if name.endswith(".lora_A.weight")).replace(".lora_A", "")
    return name, model.merge_and_unload().get_parameter(name).detach()


def tidy(config: Path, base_model: str) -> None:
    """Takes out of PEFT's file what differs from run to run: the path of the model and the order of a set."""
    settings = json.loads(config.read_text(encoding="utf-8"))
    settings["base_model_name_or_path"] = base_model
    if isinstance(settings["target_modules"], list):
        settings["target_modules"].sort()
    config.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def make_golden(folder: Path, adapter: Adapter, seed: int) -> None:
    target = folder / "lora"
    golden = GoldenModel(folder, load_file(folder / "model.safetensors"), adapter)
    values = random_values(golden.with_fresh_adapter(), torch.Generator().manual_seed(seed))
    model = golden.with_adapter(values)
    batches = make_batches(model.config.vocab_size, torch.Generator().manual_seed(seed + 1))
    model.save_pretrained(target)
    (target / "README.md").unlink()
    tidy(target / "adapter_config.json", folder.name)
    tensors: dict[str, Tensor] = single_pass(model, batches[0])
    run = train(golden.with_adapter(values), batches)
    name, weight = merged_weight(golden.with_adapter(values))
    with double_precision():
        true_run = train(golden.with_adapter(values), batches)
    tensors |= {f"sft.{key}": torch.tensor(numbers) for key, numbers in run.items()}
    tensors |= {"sft.losses64": torch.tensor(true_run["losses"], dtype=torch.float64), f"merged.{name}": weight}
    for number, batch in enumerate(batches):
        tensors |= batch.named(f"batch{number}.")
    tensors |= batches[0].named()
    save_tensors(target / "golden.safetensors", tensors)
    stray = max(abs(loss - truth) for loss, truth in zip(run["losses"], true_run["losses"], strict=True))
    print(f"{target}: loss {run['losses'][0]:.6f} to {run['losses'][-1]:.6f}, float32 strays by {stray:.1e}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes the golden adapters of every family.")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "onnx-artifacts" / "golden")
    parser.add_argument("--family", choices=list(ADAPTERS), nargs="*", default=list(ADAPTERS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in arguments.family:
        make_golden(arguments.out / name, ADAPTERS[name], SEED + 2 * list(FAMILIES).index(name))


if __name__ == "__main__":
    main()
