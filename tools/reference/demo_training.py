"""Small pieces of training that the demo's scripts share: rows as token ids, batches, loss, greedy answers."""

import math
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import LlamaForCausalLM

from demo_village import Row

END_ID, PAD_ID = 0, 1
LONGEST_ANSWER = 40


@dataclass(frozen=True)
class Encoded:
    """Token ids and the index of the first one to learn."""

    ids: list[int]
    first: int


@dataclass(frozen=True)
class Batch:
    """Rows padded on the right [B, T], the flat positions that predict a learnt token [N], and those tokens [N]."""

    ids: Tensor
    positions: Tensor
    labels: Tensor


class Encoder:
    """Rows to token ids and back."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Uses the tokenizer."""
        self._tokenizer = tokenizer

    def prompt(self, row: Row) -> list[int]:
        """The ids that the model sees before it answers."""
        return self._tokenizer.encode(row.prompt).ids

    def encode(self, row: Row, whole: bool = False) -> Encoded:
        """Prompt, completion and end token; all of it is learnt, or the completion alone."""
        prompt = self.prompt(row)
        return Encoded(prompt + self._tokenizer.encode(row.completion).ids + [END_ID], 1 if whole else len(prompt))

    def text(self, ids: list[int]) -> str:
        """The text of the ids."""
        return self._tokenizer.decode(ids)


def padded(rows: list[Encoded]) -> Batch:
    """One batch."""
    width = max(len(row.ids) for row in rows)
    ids = torch.tensor([row.ids + [PAD_ID] * (width - len(row.ids)) for row in rows])
    places = [(index, at) for index, row in enumerate(rows) for at in range(row.first, len(row.ids))]
    positions = torch.tensor([index * width + at - 1 for index, at in places])
    return Batch(ids, positions, torch.tensor([rows[index].ids[at] for index, at in places]))


def logits_of(model: LlamaForCausalLM, batch: Batch) -> Tensor:
    """Logits at the positions that predict learnt tokens [N, V]."""
    return model(batch.ids).logits.flatten(0, 1)[batch.positions]


def loss_of(model: LlamaForCausalLM, batch: Batch) -> Tensor:
    """Mean cross-entropy of the learnt tokens."""
    return cross_entropy(logits_of(model, batch), batch.labels)


def learning_rate(step: int, steps: int, peak: float, warmup_ratio: float, schedule: str) -> float:
    """The rate of a step counted from 0, as transformers computes it."""
    warmup = math.ceil(steps * warmup_ratio)
    if schedule == "constant":
        return peak
    if step < warmup:
        return peak * step / warmup
    if schedule == "linear":
        return peak * (steps - step) / max(1, steps - warmup)
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


@torch.no_grad()
def answers(model: LlamaForCausalLM, encoder: Encoder, rows: list[Row]) -> list[str]:
    """Greedy answers, rows with prompts of one length together."""
    prompts = [encoder.prompt(row) for row in rows]
    result = [""] * len(rows)
    for length in sorted({len(prompt) for prompt in prompts}):
        members = [index for index, prompt in enumerate(prompts) if len(prompt) == length]
        ids = torch.tensor([prompts[index] for index in members])
        for _ in range(LONGEST_ANSWER):
            ids = torch.cat([ids, model(ids).logits[:, -1].argmax(-1, keepdim=True)], 1)
            if (ids[:, length:] == END_ID).any(1).all():
                break
        for index, row in zip(members, ids[:, length:].tolist(), strict=True):
            result[index] = encoder.text(row[: row.index(END_ID)] if END_ID in row else row)
    return result


def right_share(model: LlamaForCausalLM, encoder: Encoder, rows: list[Row]) -> float:
    """Share of the rows whose greedy answer is exactly the completion."""
    given = answers(model, encoder, rows)
    return sum(answer == row.completion for answer, row in zip(given, rows, strict=True)) / len(rows)
