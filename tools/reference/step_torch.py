"""The benchmark's step in PyTorch and transformers; prints one line of JSON.

Scaled dot-product attention, the head at the response positions alone, fused AdamW.
"""

import argparse
import contextlib
import copy
import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy, kl_div, log_softmax
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

import step_shape
from cpu import BFLOAT16_FEATURES, cpu_features


def load_model(folder: Path) -> PreTrainedModel:
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder), attn_implementation="sdpa", dtype=torch.float32)
    parameters = load_file(folder / "model.safetensors")
    parameters["lm_head.weight"] = parameters["model.embed_tokens.weight"]
    model.load_state_dict(parameters)
    return model.train()


ALPHA = 0.5


def anchored_loss(logits: torch.Tensor, snapshot: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """KL(anchor ‖ student), the mean over the response tokens; the anchor mixes logits."""
    anchor = log_softmax((1 - ALPHA) * snapshot + ALPHA * reference, dim=-1)
    return kl_div(log_softmax(logits, dim=-1), anchor, reduction="batchmean", log_target=True)


def run(folder: Path, precision: str, method: str, warmup_steps: int, steps: int) -> dict[str, object]:
    implementation = f"torch-{precision}" + ("" if method == "sft" else f"-{method}")
    if precision == "bf16" and not BFLOAT16_FEATURES & cpu_features():
        return {"implementation": implementation, "absent": "the CPU has neither avx512_bf16 nor amx_bf16"}
    model = load_model(folder)
    batch = {name: torch.from_numpy(array) for name, array in step_shape.read_batch(folder).items()}
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=step_shape.LEARNING_RATE,
        betas=step_shape.ADAM_BETAS,
        eps=step_shape.ADAM_EPSILON,
        weight_decay=step_shape.WEIGHT_DECAY,
        fused=True,
    )
    autocast = torch.autocast("cpu", torch.bfloat16) if precision == "bf16" else contextlib.nullcontext()

    teachers = [copy.deepcopy(model).eval() for _ in range(2)] if method == "anchor" else []

    def logits_of(given: PreTrainedModel) -> torch.Tensor:
        hidden_states = given.base_model(batch["input_ids"], use_cache=False).last_hidden_state
        logits: torch.Tensor = given.lm_head(hidden_states.flatten(0, 1)[batch["response_positions"]])
        return logits.float()

    def loss_of(logits: torch.Tensor) -> torch.Tensor:
        if not teachers:
            return cross_entropy(logits, batch["labels"])
        with torch.no_grad():
            snapshot, reference = (logits_of(teacher) for teacher in teachers)
        return anchored_loss(logits, snapshot, reference)

    def step() -> float:
        optimizer.zero_grad()
        with autocast:
            loss = loss_of(logits_of(model))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), step_shape.MAX_GRADIENT_NORM)
        optimizer.step()
        return loss.item()

    return step_shape.measure(implementation, step, warmup_steps, steps) | {"version": torch.__version__}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures the benchmark's step in PyTorch.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--method", choices=("sft", "anchor"), default="sft", help="anchor runs two frozen models beside")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warmup_steps", type=int, default=1)
    parser.add_argument("--steps", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(json.dumps(run(arguments.folder, arguments.precision, arguments.method, arguments.warmup_steps, arguments.steps)))


if __name__ == "__main__":
    main()
