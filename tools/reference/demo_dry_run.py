"""Trains the demo in PyTorch, to choose its settings: supervised fine-tuning, then anchored from the base.

Usage: python demo_dry_run.py onnx-artifacts/demo [key=value ...]

Reads demo.yaml; a key on the command line goes first. Prints one JSON object for each model.
"""

import copy
import json
import pathlib
import random
import sys
import time
from collections.abc import Callable

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import kl_div, log_softmax
from transformers import LlamaForCausalLM

from demo_training import Batch, Encoded, Encoder, learning_rate, logits_of, loss_of, padded, right_share
from demo_village import Row

Settings = dict[str, float | int | str]


def settings_of(path: pathlib.Path, overrides: list[str]) -> Settings:
    """Flat keys of demo.yaml, then those of the command line."""
    lines = path.read_text().splitlines() if path.exists() else []
    pairs = [line.split("#")[0].split(":", 1) for line in lines if ":" in line.split("#")[0]]
    pairs += [override.split("=", 1) for override in overrides]
    return {key.strip(): _value(value.strip()) for key, value in pairs}


def _value(text: str) -> float | int | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def rows_of(path: pathlib.Path) -> list[Row]:
    """Rows of a file of JSON lines."""
    fields = [json.loads(line) for line in path.read_text().splitlines()]
    return [Row(row["prompt"], row["completion"]) for row in fields]


class Trainer:
    """Both stages on the same rows."""

    def __init__(self, settings: Settings, rows: list[Encoded]) -> None:
        """Keeps the settings and the rows."""
        self._settings = settings
        self._rows = rows
        self._draw = random.Random(settings["seed"])

    def _run(self, model: LlamaForCausalLM, epochs: int, loss: Callable[[Batch], Tensor]) -> None:
        settings = self._settings
        size = settings["per_device_train_batch_size"]
        optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.0)
        steps = epochs * -(-len(self._rows) // size)
        step = 0
        for _ in range(epochs):
            order = self._draw.sample(self._rows, len(self._rows))
            for start in range(0, len(order), size):
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate(
                        step, steps, settings["learning_rate"], settings["warmup_ratio"], settings["lr_scheduler_type"]
                    )
                optimizer.zero_grad()
                loss(padded(order[start : start + size])).backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                step += 1

    def sft(self, base: LlamaForCausalLM) -> LlamaForCausalLM:
        """Supervised fine-tuning."""
        model = copy.deepcopy(base)
        self._run(model, self._settings["num_train_epochs"], lambda batch: loss_of(model, batch))
        return model

    def anchored(self, base: LlamaForCausalLM, reference: LlamaForCausalLM) -> LlamaForCausalLM:
        """Distillation to the logit mixture of snapshot and reference, the snapshot renewed at each outer iteration."""
        model = copy.deepcopy(base)
        alpha = self._settings["alpha"]
        for _ in range(self._settings["outer_iterations"]):
            snapshot = copy.deepcopy(model)

            def loss(batch: Batch, snapshot: LlamaForCausalLM = snapshot) -> Tensor:
                with torch.no_grad():
                    mixed = (1 - alpha) * logits_of(snapshot, batch) + alpha * logits_of(reference, batch)
                student = log_softmax(logits_of(model, batch), -1)
                return kl_div(student, log_softmax(mixed, -1), reduction="batchmean", log_target=True)

            self._run(model, self._settings["inner_epochs"], loss)
        return model


@torch.no_grad()
def kl_from(base: LlamaForCausalLM, model: LlamaForCausalLM, rows: list[Encoded]) -> float:
    """Mean KL(base ‖ model) over the response tokens, in nats."""
    batch = padded(rows)
    before, after = (log_softmax(logits_of(each, batch), -1) for each in (base, model))
    return kl_div(after, before, reduction="batchmean", log_target=True).item()


def main() -> None:
    """Trains and measures."""
    torch.set_num_threads(1)
    folder = pathlib.Path(sys.argv[1])
    settings = settings_of(folder / "demo.yaml", sys.argv[2:])
    torch.manual_seed(settings["seed"])
    encoder = Encoder(Tokenizer.from_file(str(folder / "model" / "tokenizer.json")))
    base = LlamaForCausalLM.from_pretrained(folder / "model", dtype=torch.float32)
    train, taught, kept = (rows_of(folder / f"{name}.jsonl") for name in ("train", "eval", "retention"))
    trainer = Trainer(settings, [encoder.encode(row) for row in train])

    def report(name: str, model: LlamaForCausalLM, seconds: float) -> None:
        with torch.no_grad():
            loss = loss_of(model, padded([encoder.encode(row) for row in taught])).item()
        numbers = {
            "taught_loss": loss,
            "taught_right": right_share(model, encoder, taught),
            "kept_right": right_share(model, encoder, kept),
            "kl_from_base_on_kept": kl_from(base, model, [encoder.encode(row) for row in kept]),
            "kl_from_base_on_taught": kl_from(base, model, [encoder.encode(row) for row in taught]),
            "seconds": seconds,
        }
        print(json.dumps({"model": name} | {key: round(value, 4) for key, value in numbers.items()}), flush=True)

    report("base", base, 0)
    started = time.process_time()
    reference = trainer.sft(base)
    report("sft", reference, time.process_time() - started)
    started = time.process_time()
    student = trainer.anchored(base, reference)
    report("anchored", student, time.process_time() - started)


if __name__ == "__main__":
    main()
