"""The anchor loss in PyTorch: the plain form that the golden files are computed with.

Every function works in the type of its inputs, so that the same code gives the ordinary float32 result and, with float64
inputs, the truth that it is judged against. Gradients come from autograd alone.

Conventions. The student, the snapshot and the reference are distributions softmax(z / temperature), also in cross-entropy and
in the DFT weight p_s(label). The anchor q mixes snapshot and reference and is detached. A label of IGNORE_INDEX or a weight of
0 removes a row: its loss, its gradient and its statistics are exactly 0. A vocabulary that is narrower on one side is minus
infinity there.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import pad

IGNORE_INDEX = -100

Divergence = Literal["forward_kl", "reverse_kl", "jsd"]
Interpolation = Literal["logit", "probability"]
LabelWeighting = Literal["none", "dft"]

DIVERGENCES: tuple[Divergence, ...] = ("forward_kl", "reverse_kl", "jsd")
INTERPOLATIONS: tuple[Interpolation, ...] = ("logit", "probability")
LABEL_WEIGHTINGS: tuple[LabelWeighting, ...] = ("none", "dft")

STATISTICS = (
    "kl_anchor_student",
    "kl_snapshot_anchor",
    "kl_snapshot_reference",
    "kl_snapshot_student",
    "kl_student_reference",
    "student_entropy",
    "student_log_sum_exp",
    "snapshot_log_sum_exp",
    "reference_log_sum_exp",
    "label_log_probability",
    "label_is_argmax",
)


@dataclass(frozen=True)
class LossSettings:
    """What is the same for every row: L = kd_weight * D(q, p_s) + ce_weight * omega * CE."""

    divergence: Divergence = "forward_kl"
    interpolation: Interpolation = "logit"
    label_weighting: LabelWeighting = "none"
    temperature: float = 1.0
    kd_weight: float = 1.0
    ce_weight: float = 0.0
    beta: float = 0.5


@dataclass(frozen=True)
class LossResult:
    """The weighted sum over rows, the unweighted loss of each row [N], and the statistics of each row [N, S]."""

    loss: Tensor
    token_loss: Tensor
    statistics: Tensor


def anchor_log_probabilities(snapshot: Tensor, reference: Tensor, alphas: Tensor, settings: LossSettings) -> Tensor:
    """log q [N, V] for logits [N, V] and mixing weights [N]; alpha 0 is the snapshot and alpha 1 the reference, exactly."""
    alpha = alphas.unsqueeze(-1)
    log_snapshot = (snapshot / settings.temperature).log_softmax(-1)
    log_reference = (reference / settings.temperature).log_softmax(-1)
    if settings.interpolation == "logit":
        mixed = ((1 - alpha) * log_snapshot + alpha * log_reference).log_softmax(-1)
    else:
        mixed = torch.logaddexp((1 - alpha).log() + log_snapshot, alpha.log() + log_reference)
    return torch.where(alpha == 0, log_snapshot, torch.where(alpha == 1, log_reference, mixed))


def kl_divergence(log_p: Tensor, log_q: Tensor) -> Tensor:
    """KL(p, q) of each row [N]; a column without mass under p counts nothing, whatever q has there."""
    has_mass = log_p > -torch.inf
    difference = torch.where(has_mass, log_p, 0.0) - torch.where(has_mass, log_q, 0.0)
    return torch.where(has_mass, log_p.exp() * difference, 0.0).sum(-1)


def divergence(log_anchor: Tensor, log_student: Tensor, settings: LossSettings) -> Tensor:
    """The divergence between anchor and student of each row [N]."""
    if settings.divergence == "forward_kl":
        return kl_divergence(log_anchor, log_student)
    if settings.divergence == "reverse_kl":
        return kl_divergence(log_student, log_anchor)
    beta = torch.tensor(settings.beta, dtype=log_student.dtype)
    log_middle = log_mixture(log_anchor, log_student, beta)
    return beta * kl_divergence(log_anchor, log_middle) + (1 - beta) * kl_divergence(log_student, log_middle)


def log_mixture(log_anchor: Tensor, log_student: Tensor, beta: Tensor) -> Tensor:
    """log(beta * q + (1 - beta) * p_s); columns empty on both sides stay out of the gradient, where they would give NaN."""
    is_empty = (log_anchor == -torch.inf) & (log_student == -torch.inf)
    mixed = torch.logaddexp(beta.log() + log_anchor.masked_fill(is_empty, 0.0), (1 - beta).log() + log_student.masked_fill(is_empty, 0.0))
    return mixed.masked_fill(is_empty, -torch.inf)


def label_loss(label_log_probability: Tensor, settings: LossSettings) -> Tensor:
    """omega * CE of each row [N]; DFT weights each row by the student's own detached probability."""
    cross_entropy = -label_log_probability
    if settings.label_weighting == "dft":
        return label_log_probability.detach().exp() * cross_entropy
    return cross_entropy


def anchor_loss(
    student: Tensor,
    snapshot: Tensor | None,
    reference: Tensor | None,
    labels: Tensor,
    weights: Tensor,
    alphas: Tensor | None,
    settings: LossSettings,
) -> LossResult:
    """The loss of student logits [N, V], labels [N] and weights [N].

    snapshot [N, Vc]: None stands for the student's own detached logits. reference [N, Vr] and alphas [N]: None leaves the
    distillation term out.
    """
    width = max(side.shape[-1] for side in (student, snapshot, reference) if side is not None)
    student = widen(student, width)
    counts = (labels != IGNORE_INDEX) & (weights != 0)
    label_column = labels.where(counts, 0).unsqueeze(-1)
    log_student = (student / settings.temperature).log_softmax(-1)
    label_log_probability = log_student.gather(-1, label_column).squeeze(-1)
    token_loss = settings.ce_weight * label_loss(label_log_probability, settings)
    columns = {
        "student_entropy": entropy(log_student),
        "student_log_sum_exp": (student / settings.temperature).logsumexp(-1),
        "label_log_probability": label_log_probability,
        "label_is_argmax": (student.argmax(-1) == label_column.squeeze(-1)).to(student.dtype),
    }
    if reference is not None and alphas is not None:
        snapshot = widen(student if snapshot is None else snapshot, width).detach()
        reference = widen(reference, width).detach()
        log_anchor = anchor_log_probabilities(snapshot, reference, alphas, settings)
        token_loss = token_loss + settings.kd_weight * divergence(log_anchor, log_student, settings)
        columns |= distillation_statistics(log_student, log_anchor, snapshot / settings.temperature, reference / settings.temperature)
    token_loss = token_loss.where(counts, 0.0)
    statistics = torch.stack([columns.get(name, torch.zeros_like(token_loss)) for name in STATISTICS], -1).detach()
    return LossResult((weights * token_loss).sum(), token_loss, statistics.where(counts.unsqueeze(-1), 0.0))


def distillation_statistics(log_student: Tensor, log_anchor: Tensor, snapshot: Tensor, reference: Tensor) -> dict[str, Tensor]:
    """The columns that need a reference, from log-probabilities and from logits already divided by the temperature."""
    log_snapshot = snapshot.log_softmax(-1)
    log_reference = reference.log_softmax(-1)
    return {
        "kl_anchor_student": kl_divergence(log_anchor, log_student),
        "kl_snapshot_anchor": kl_divergence(log_snapshot, log_anchor),
        "kl_snapshot_reference": kl_divergence(log_snapshot, log_reference),
        "kl_snapshot_student": kl_divergence(log_snapshot, log_student),
        "kl_student_reference": kl_divergence(log_student, log_reference),
        "snapshot_log_sum_exp": snapshot.logsumexp(-1),
        "reference_log_sum_exp": reference.logsumexp(-1),
    }


def entropy(log_p: Tensor) -> Tensor:
    """-sum p log p of each row [N]."""
    return -torch.where(log_p > -torch.inf, log_p.exp() * log_p, 0.0).sum(-1)


def widen(logits: Tensor, width: int) -> Tensor:
    """Logits [N, width] from logits of a vocabulary that may be narrower: minus infinity in the columns that it lacks."""
    return pad(logits, (0, width - logits.shape[-1]), value=-torch.inf)
