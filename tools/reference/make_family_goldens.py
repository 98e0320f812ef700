"""Makes onnx-artifacts/golden/<family>/: a tiny random model of every family, and what PyTorch computes with it.

Each folder holds config.json and model.safetensors as a user would have them, golden.safetensors with the tensors that
golden tests compare with, and golden.json with the settings; onnx-artifacts/golden/README.md describes them.

Usage: python make_family_goldens.py [--out DIR] [--family NAME ...]
"""

import argparse
import copy
import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig, PreTrainedModel

from anchor_loss import Interpolation, LossSettings, anchor_loss
from double_precision import double_precision
from families import FAMILIES, Config

REPOSITORY = Path(__file__).resolve().parents[2]
SEED = 20261122
STEPS = 10
STEPS_PER_SNAPSHOT = 5
LEARNING_RATE = 2e-3
ADAM_BETAS = (0.9, 0.999)
# With the usual epsilon of 1e-8 AdamW turns the rounding of near-zero gradients into whole steps, and float32 losses stray
# from the truth by up to 1e-3; with 1e-5 by 3e-5, so that a comparison can be tight.
ADAM_EPSILON = 1e-5
WEIGHT_DECAY = 0.01
MAX_GRADIENT_NORM = 1.0
ALPHA = 0.5
LARGEST_KEPT_PARAMETER = 512

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Batch:
    """Right-padded token rows [B, T], the flat positions that predict a response token [N], and those tokens [N]."""

    input_ids: Tensor
    response_positions: Tensor
    labels: Tensor

    def named(self, prefix: str = "") -> Tensors:
        return {
            f"{prefix}input_ids": self.input_ids,
            f"{prefix}response_positions": self.response_positions,
            f"{prefix}labels": self.labels,
        }


@dataclass(frozen=True)
class RunSettings:
    """One golden training run. Without a reference it is supervised fine-tuning."""

    name: str
    interpolation: Interpolation = "logit"
    snapshot: str = "none"
    hard_weight: float = 0.0
    temperature: float = 1.0

    @property
    def is_anchored(self) -> bool:
        return self.snapshot != "none"

    def loss_settings(self) -> LossSettings:
        return LossSettings(
            interpolation=self.interpolation,
            temperature=self.temperature,
            kd_weight=1 - self.hard_weight,
            ce_weight=self.hard_weight,
        )


RUNS = (
    RunSettings("sft"),
    RunSettings("anchor_logit", "logit", "model"),
    RunSettings("anchor_probability", "probability", "model"),
    RunSettings("anchor_current", "logit", "current"),
    RunSettings("anchor_hard", "logit", "model", hard_weight=0.3, temperature=2.0),
)


@dataclass
class RunResult:
    """Losses and gradient norms before clipping, a value per step, and the model that the run ends with."""

    model: PreTrainedModel
    losses: list[float] = field(default_factory=list)
    gradient_norms: list[float] = field(default_factory=list)


def random_parameters(model: PreTrainedModel, generator: torch.Generator) -> Tensors:
    """Values of a size at which every parameter matters: norms away from 1, biases away from 0, attention not uniform."""
    values = {}
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if name.endswith("bias"):
            values[name] = 0.2 * noise
        elif parameter.dim() == 1:
            values[name] = 1 + 0.2 * noise
        else:
            values[name] = 0.3 * noise
    return values


def random_batch(lengths: list[int], responses: list[int], vocabulary_size: int, generator: torch.Generator) -> Batch:
    """Rows of random tokens of which the last `responses[b]` are the response; padding is token 0."""
    longest = max(lengths)
    input_ids = torch.zeros(len(lengths), longest, dtype=torch.int64)
    positions, labels = [], []
    for row, (length, response) in enumerate(zip(lengths, responses, strict=True)):
        input_ids[row, :length] = torch.randint(1, vocabulary_size, (length,), generator=generator)
        positions.append(row * longest + torch.arange(length - response - 1, length - 1))
        labels.append(input_ids[row, length - response : length])
    return Batch(input_ids, torch.cat(positions), torch.cat(labels))


def make_batches(vocabulary_size: int, generator: torch.Generator) -> list[Batch]:
    return [
        random_batch([11, 7], [6, 3], vocabulary_size, generator),
        random_batch([5, 13], [2, 5], vocabulary_size, generator),
        random_batch([9, 9], [8, 4], vocabulary_size, generator),
    ]


def build_model(folder: Path, parameters: Tensors) -> PreTrainedModel:
    """The model of a folder as transformers reads it, in the precision of the moment, without dropout."""
    model = AutoModelForCausalLM.from_config(load_config(folder), attn_implementation="eager", dtype=torch.float32)
    missing, unexpected = model.load_state_dict(parameters, strict=False)
    tied = set(model.state_dict()) - set(dict(model.named_parameters()))
    if unexpected or not set(missing) <= tied:
        raise ValueError(f"{folder}: parameters do not fit the model: missing {missing}, unexpected {unexpected}")
    return model.eval()


def load_config(folder: Path) -> PretrainedConfig:
    return AutoConfig.from_pretrained(folder)


def response_logits(model: PreTrainedModel, batch: Batch) -> Tensor:
    """Logits [N, V] at the response positions."""
    logits = model(batch.input_ids, use_cache=False).logits
    return logits.flatten(0, 1)[batch.response_positions]


def make_optimizer(model: PreTrainedModel) -> torch.optim.AdamW:
    return torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, betas=ADAM_BETAS, eps=ADAM_EPSILON, weight_decay=WEIGHT_DECAY)


def freeze(model: PreTrainedModel) -> PreTrainedModel:
    return copy.deepcopy(model).requires_grad_(False)


def train(base: PreTrainedModel, batches: list[Batch], run: RunSettings, reference: PreTrainedModel | None) -> RunResult:
    """Ten optimizer steps from the base; anchored runs renew the snapshot and restart the optimizer after five."""
    model = copy.deepcopy(base)
    result = RunResult(model)
    snapshot, optimizer = freeze(model), make_optimizer(model)
    for step in range(STEPS):
        if run.is_anchored and step % STEPS_PER_SNAPSHOT == 0:
            snapshot, optimizer = freeze(model), make_optimizer(model)
        loss = batch_loss(model, batches[step % len(batches)], run, snapshot, reference)
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_GRADIENT_NORM)
        optimizer.step()
        result.losses.append(loss.item())
        result.gradient_norms.append(norm.item())
    return result


def batch_loss(
    model: PreTrainedModel,
    batch: Batch,
    run: RunSettings,
    snapshot: PreTrainedModel,
    reference: PreTrainedModel | None,
) -> Tensor:
    """The mean over the response tokens of a batch."""
    student_logits = response_logits(model, batch)
    if reference is None:
        return cross_entropy(student_logits, batch.labels)
    count = len(batch.labels)
    return anchor_loss(
        student_logits,
        response_logits(snapshot, batch) if run.snapshot == "model" else None,
        response_logits(reference, batch),
        batch.labels,
        torch.full((count,), 1 / count, dtype=student_logits.dtype),
        torch.full((count,), ALPHA, dtype=student_logits.dtype),
        run.loss_settings(),
    ).loss


def run_all(base: PreTrainedModel, batches: list[Batch]) -> dict[str, RunResult]:
    """Every run; the model that SFT ends with is the reference of the anchored ones."""
    results: dict[str, RunResult] = {}
    for run in RUNS:
        reference = freeze(results["sft"].model) if run.is_anchored else None
        results[run.name] = train(base, batches, run, reference)
    return results


def single_pass(model: PreTrainedModel, batch: Batch) -> Tensors:
    """Logits, last hidden states, mean cross-entropy and its gradient by every parameter; padding positions are 0."""
    model.zero_grad()
    hidden_states = model.base_model(batch.input_ids, use_cache=False).last_hidden_state
    logits = model(batch.input_ids, use_cache=False).logits
    loss = cross_entropy(logits.flatten(0, 1)[batch.response_positions], batch.labels)
    loss.backward()
    is_real = (batch.input_ids != 0).unsqueeze(-1)
    gradients = {f"grad.{name}": parameter.grad.clone() for name, parameter in model.named_parameters()}
    return {
        "logits": logits.detach().where(is_real, 0.0),
        "hidden_states": hidden_states.detach().where(is_real, 0.0),
        "loss": loss.detach(),
        **gradients,
    }


def run_tensors(results: dict[str, RunResult], base: PreTrainedModel) -> Tensors:
    """What float32 runs leave: losses, norms, the parameters after SFT whole, and after anchored runs the small ones."""
    tensors: Tensors = {}
    for name, result in results.items():
        tensors[f"{name}.losses"] = torch.tensor(result.losses)
        tensors[f"{name}.gradient_norms"] = torch.tensor(result.gradient_norms)
        changes = [after - before for after, before in zip(result.model.parameters(), base.parameters(), strict=True)]
        tensors[f"{name}.change_norms"] = torch.stack([change.detach().norm() for change in changes])
        for parameter_name, parameter in result.model.named_parameters():
            if name == "sft" or parameter.numel() <= LARGEST_KEPT_PARAMETER:
                tensors[f"{name}.param.{parameter_name}"] = parameter.detach()
    return tensors


def truth_tensors(results: dict[str, RunResult]) -> Tensors:
    return {f"{name}.losses64": torch.tensor(result.losses, dtype=torch.float64) for name, result in results.items()}


def largest_differences(ordinary: Tensors, truth: Tensors) -> dict[str, float]:
    return {name: (ordinary[name].double() - truth[name]).abs().max().item() for name in truth}


def write_model(folder: Path, config: Config, seed: int) -> None:
    """config.json and model.safetensors with random parameters."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", config)
    model = AutoModelForCausalLM.from_config(load_config(folder))
    parameters = random_parameters(model, torch.Generator().manual_seed(seed))
    save_file(parameters, folder / "model.safetensors", metadata={"format": "pt"})


def save_tensors(path: Path, tensors: Tensors) -> None:
    """Writes tensors that may share memory, each for itself."""
    save_file({name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}, path)


def write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def golden_settings(base: PreTrainedModel, batches: list[Batch], errors: dict[str, float]) -> dict[str, object]:
    return {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "seed": SEED,
        "batches": len(batches),
        "steps": STEPS,
        "steps_per_snapshot": STEPS_PER_SNAPSHOT,
        "learning_rate": LEARNING_RATE,
        "adam_beta1": ADAM_BETAS[0],
        "adam_beta2": ADAM_BETAS[1],
        "adam_epsilon": ADAM_EPSILON,
        "weight_decay": WEIGHT_DECAY,
        "max_grad_norm": MAX_GRADIENT_NORM,
        "alpha": ALPHA,
        "runs": {
            run.name: {
                "interpolation": run.interpolation,
                "snapshot": run.snapshot,
                "hard_weight": run.hard_weight,
                "temperature": run.temperature,
            }
            for run in RUNS
            if run.is_anchored
        },
        "parameters": [name for name, _ in base.named_parameters()],
        "largest_error_of_float32": errors,
    }


def make_golden(folder: Path, config: Config, seed: int) -> None:
    write_model(folder, config, seed)
    parameters = load_file(folder / "model.safetensors")
    base = build_model(folder, parameters)
    batches = make_batches(base.config.vocab_size, torch.Generator().manual_seed(seed + 1))
    ordinary = single_pass(base, batches[0])
    results = run_all(base, batches)
    with double_precision():
        double_base = build_model(folder, parameters)
        truth = single_pass(double_base, batches[0])
        truth_results = run_all(double_base, batches)
    tensors = ordinary | run_tensors(results, base) | truth_tensors(truth_results) | {"loss64": truth["loss"]}
    for number, batch in enumerate(batches):
        tensors |= batch.named(f"batch{number}.")
    tensors |= batches[0].named()
    save_tensors(folder / "golden.safetensors", tensors)
    errors = largest_differences(ordinary, truth)
    for name, result in results.items():
        pairs = zip(result.losses, truth_results[name].losses, strict=True)
        errors[f"{name}.losses"] = max(abs(ordinary_loss - true_loss) for ordinary_loss, true_loss in pairs)
    write_json(folder / "golden.json", golden_settings(base, batches, errors))
    print(f"{folder}: loss {ordinary['loss'].item():.6f}")
    for name, result in results.items():
        print(f"  {name}: losses {format_values(result.losses)}; gradient norms {format_values(result.gradient_norms)}")


def format_values(values: list[float]) -> str:
    return " ".join(f"{value:.4f}" for value in values)


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes the golden models of every family.")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "onnx-artifacts" / "golden")
    parser.add_argument("--family", choices=list(FAMILIES), nargs="*", default=list(FAMILIES))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in arguments.family:
        make_golden(arguments.out / name, FAMILIES[name], SEED + 2 * list(FAMILIES).index(name))


if __name__ == "__main__":
    main()
