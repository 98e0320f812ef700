"""Makes java/src/test/resources/golden/loss/*.safetensors: the anchor loss in float64, with gradients by autograd.

The inputs are float32, as the kernels get them; the truth is computed from the same values in float64. README.md in that
folder says what the tensors are.

Usage: python make_loss_goldens.py [--out DIR]
"""

import argparse
import itertools
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from anchor_loss import (
    DIVERGENCES,
    IGNORE_INDEX,
    INTERPOLATIONS,
    LABEL_WEIGHTINGS,
    Divergence,
    LossResult,
    LossSettings,
    anchor_loss,
)

REPOSITORY = Path(__file__).resolve().parents[2]
SEED = 20261122
VOCABULARY = 25  # one more than a multiple of 8, so that vector loops of every width have a tail
SNAPSHOT_VOCABULARY = 23
REFERENCE_VOCABULARY = 21
TEMPERATURES = (1.0, 0.7)
BETA = 0.3
HARD_WEIGHT = 0.3

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Rows:
    """Inputs of the loss for N tokens; what is None is absent."""

    student: Tensor
    labels: Tensor
    weights: Tensor
    snapshot: Tensor | None = None
    reference: Tensor | None = None
    alphas: Tensor | None = None

    def named(self) -> Tensors:
        tensors = {
            "student_logits": self.student,
            "snapshot_logits": self.snapshot,
            "reference_logits": self.reference,
            "labels": self.labels,
            "weights": self.weights,
            "alphas": self.alphas,
        }
        return {name: tensor for name, tensor in tensors.items() if tensor is not None}

    def double(self) -> "Rows":
        return Rows(
            self.student.double(),
            self.labels,
            self.weights.double(),
            as_double(self.snapshot),
            as_double(self.reference),
            as_double(self.alphas),
        )


def as_double(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor.double()


def in_float32(value: float) -> float:
    """The value that is left when it is passed on as float32."""
    return torch.tensor(value, dtype=torch.float32).item()


def random_rows(count: int, vocabulary: int, generator: torch.Generator) -> Rows:
    def logits() -> Tensor:
        return 3 * torch.randn(count, vocabulary, generator=generator)

    return Rows(
        student=logits(),
        snapshot=logits(),
        reference=logits(),
        labels=torch.randint(0, vocabulary, (count,), generator=generator),
        weights=torch.rand(count, generator=generator) + 0.1,
        alphas=torch.rand(count, generator=generator),
    )


def special_rows(divergence: Divergence, generator: torch.Generator) -> Rows:
    """Sixteen rows: three ordinary ones, then one for each thing that goes wrong in a careless implementation."""
    rows = random_rows(16, VOCABULARY, generator)
    student, snapshot, reference = rows.student, rows.snapshot, rows.reference
    assert snapshot is not None and reference is not None and rows.alphas is not None
    noise = torch.randn(2, VOCABULARY, generator=generator)
    rows.labels[3] = student[3].argmax()  # the label is the student's choice
    student[4, 7] = 60.0  # one column takes everything
    reference[5, 9] = 80.0
    student[6] -= 500.0  # shifts change nothing
    snapshot[6] += 1000.0
    snapshot[7] = reference[7] = student[7]  # nothing to learn
    snapshot[8] = student[8] + 1e-3 * noise[0]  # almost nothing to learn: p - q cancels
    reference[8] = student[8] + 1e-3 * noise[1]
    rows.labels[9] = IGNORE_INDEX
    rows.weights[10] = 0.0
    rows.alphas[11] = 0.0
    rows.alphas[12] = 1.0
    for logits in (student, snapshot, reference):  # columns that nobody has
        logits[13, 15:19] = -torch.inf
    rows.labels[13] = 3
    student[14] *= 40.0  # probabilities below the smallest float
    snapshot[14] *= 40.0
    rows.labels[15] = 0  # columns that one side lacks, where that leaves the divergence finite
    (student if divergence == "reverse_kl" else reference)[15, 21:] = -torch.inf
    return rows


def evaluate(rows: Rows, settings: LossSettings) -> tuple[LossResult, Tensor]:
    student = rows.student.clone().requires_grad_()
    result = anchor_loss(student, rows.snapshot, rows.reference, rows.labels, rows.weights, rows.alphas, settings)
    (gradient,) = torch.autograd.grad(result.token_loss @ rows.weights, student)
    return result, gradient


def golden_case(name: str, rows: Rows, settings: LossSettings) -> Tensors:
    """Settings as the operator takes them, the truth, and per row how far an ordinary float32 computation is from it."""
    result, gradient = evaluate(rows.double(), settings)
    ordinary, ordinary_gradient = evaluate(rows, settings)
    errors = torch.stack([(ordinary.token_loss - result.token_loss).abs(), (ordinary_gradient - gradient).abs().amax(-1)], -1)
    if not (gradient.isfinite().all() and errors.isfinite().all()):
        raise ValueError(f"{name}: expected finite losses and gradients")
    return {
        f"{name}.coefficients": torch.tensor([settings.temperature, settings.kd_weight, settings.ce_weight, settings.beta]),
        f"{name}.modes": torch.tensor(
            [
                DIVERGENCES.index(settings.divergence),
                INTERPOLATIONS.index(settings.interpolation),
                LABEL_WEIGHTINGS.index(settings.label_weighting),
            ]
        ),
        f"{name}.loss": result.loss.detach(),
        f"{name}.token_loss": result.token_loss.detach(),
        f"{name}.gradient": gradient,
        f"{name}.statistics": result.statistics,
        f"{name}.float32_error": errors.detach(),
    }


def write_golden(path: Path, rows: Rows, all_settings: list[LossSettings]) -> None:
    tensors = rows.named()
    for number, settings in enumerate(all_settings):
        tensors |= golden_case(f"case{number}", rows, settings)
    save_file(tensors, path)
    path.chmod(0o644)
    print(f"{path}: {len(all_settings)} cases, {path.stat().st_size} bytes")


def at_every_temperature(settings: LossSettings) -> list[LossSettings]:
    return [replace(settings, temperature=in_float32(temperature)) for temperature in TEMPERATURES]


def with_and_without_labels(settings: LossSettings) -> list[LossSettings]:
    """The distillation term alone, and mixed with plain and with DFT-weighted cross-entropy."""
    hard = replace(settings, kd_weight=in_float32(1 - HARD_WEIGHT), ce_weight=in_float32(HARD_WEIGHT))
    return [settings, *(replace(hard, label_weighting=weighting) for weighting in LABEL_WEIGHTINGS)]


def make_anchor_goldens(folder: Path, generator: torch.Generator) -> None:
    for divergence, interpolation in itertools.product(DIVERGENCES, INTERPOLATIONS):
        settings = LossSettings(divergence, interpolation, beta=in_float32(BETA))
        cases = [case for hot in at_every_temperature(settings) for case in with_and_without_labels(hot)]
        write_golden(folder / f"{divergence}_{interpolation}.safetensors", special_rows(divergence, generator), cases)


def make_label_golden(folder: Path, generator: torch.Generator) -> None:
    """Cross-entropy alone: no snapshot, no reference."""
    rows = replace(special_rows("forward_kl", generator), snapshot=None, reference=None, alphas=None)
    plain = LossSettings(kd_weight=0.0, ce_weight=1.0)
    cases = [replace(plain, label_weighting=weighting) for weighting in LABEL_WEIGHTINGS]
    write_golden(folder / "labels_only.safetensors", rows, [case for plain in cases for case in at_every_temperature(plain)])


def make_current_golden(folder: Path, generator: torch.Generator) -> None:
    """The snapshot is the student's own detached logits."""
    rows = replace(special_rows("forward_kl", generator), snapshot=None)
    settings = [LossSettings(interpolation=interpolation) for interpolation in INTERPOLATIONS]
    write_golden(folder / "current_snapshot.safetensors", rows, [case for plain in settings for case in at_every_temperature(plain)])


def make_narrow_goldens(folder: Path, generator: torch.Generator) -> None:
    """Vocabularies of different sizes, with the divergences that stay finite."""
    rows = random_rows(4, REFERENCE_VOCABULARY, generator)
    wide = random_rows(4, VOCABULARY, generator)
    assert wide.snapshot is not None
    narrow_snapshot = wide.snapshot[:, :SNAPSHOT_VOCABULARY].contiguous()
    finite = {"narrow_anchor": ("forward_kl", "jsd"), "narrow_student": ("reverse_kl", "jsd")}
    inputs = {
        "narrow_anchor": replace(rows, student=wide.student, snapshot=narrow_snapshot),
        "narrow_student": replace(rows, snapshot=narrow_snapshot, reference=wide.reference),
    }
    for name, divergences in finite.items():
        cases = [
            LossSettings(divergence, interpolation, beta=in_float32(BETA))
            for divergence, interpolation in itertools.product(DIVERGENCES, INTERPOLATIONS)
            if divergence in divergences
        ]
        write_golden(folder / f"{name}.safetensors", inputs[name], cases)


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes the golden values of the anchor loss.")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "java" / "src" / "test" / "resources" / "golden" / "loss")
    folder: Path = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(SEED)
    make_anchor_goldens(folder, generator)
    make_label_golden(folder, generator)
    make_current_golden(folder, generator)
    make_narrow_goldens(folder, generator)


if __name__ == "__main__":
    main()
