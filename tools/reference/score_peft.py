"""Compares the scores of `holdfast score` with those of PyTorch and PEFT, on an adapter that `holdfast package --adapter` wrote.

Usage: python score_peft.py --model HF_FOLDER --adapter FOLDER/peft --data ROWS.jsonl --scores SCORES.jsonl
Rows have prompt and completion; the model's end-of-sequence token closes the completion, as in training.
"""

import argparse
import json
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase

# What float32 sums in another order leave of a sum of some twenty log-probabilities.
TOLERANCE = 1e-3


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def log_probability(model: PeftModel, tokenizer: PreTrainedTokenizerBase, row: dict, response_tokens: int) -> float:
    """The sum over the last tokens of a row, which are its response."""
    ids = tokenizer(row["prompt"] + row["completion"])["input_ids"] + [tokenizer.eos_token_id]
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids])).logits[0, -response_tokens - 1 : -1]
    labels = torch.tensor(ids[-response_tokens:])
    return torch.log_softmax(logits, -1).gather(1, labels.unsqueeze(1)).sum().item()


def main() -> None:
    parser = argparse.ArgumentParser(description="Compares scores with those of PEFT.")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--adapter", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--scores", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    base = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.float32).eval()
    model = PeftModel.from_pretrained(base, arguments.adapter).eval()
    rows, scores = read_lines(arguments.data), read_lines(arguments.scores)
    differences = [
        abs(log_probability(model, tokenizer, row, score["tokens"]) - score["logprob_sum"]) for row, score in zip(rows, scores, strict=True)
    ]
    print(f"{len(rows)} rows, largest difference of their log-probabilities {max(differences):.1e}")
    if max(differences) > TOLERANCE:
        raise SystemExit(f"expected at most {TOLERANCE}")


if __name__ == "__main__":
    main()
