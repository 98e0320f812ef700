"""Measures the anchor loss, gradient included, in PyTorch and Liger; prints a line of JSON per implementation.

On given logits; or with --hidden on hidden states under LM heads, one per model, and that of the student is trained.

`holdfast bench kernels --peers` calls it for every case. A line has `implementation`, `backend`, `threads`, `median_ms`, `spread_ms`
(between the quartiles) and `peak_bytes` (of the process beyond those before the call; on CUDA, allocated), or `absent` with the reason.

Usage: python bench_peers.py --rows N --vocabulary V [--hidden H]
                             [--type NAME] [--divergence NAME] [--interpolation NAME] [--runs N] [--threads N]
"""

import argparse
import importlib.util
import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import linear, log_softmax, softmax

from anchor_loss import DIVERGENCES, INTERPOLATIONS

ALPHA = 0.3
BETA = 0.5
LEAST_RUNS = 5
TYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
MOST_BYTES = 3 << 30

Result = dict[str, object]
# Logits of student, snapshot and reference, or hidden states and head of each in turn; the student's come first.
Operands = tuple[Tensor, ...]


def log_anchor(snapshot: Tensor, reference: Tensor, interpolation: str) -> Tensor:
    if interpolation == "logit":
        return log_softmax(torch.lerp(snapshot, reference, ALPHA), -1)
    return torch.lerp(softmax(snapshot, -1), softmax(reference, -1), ALPHA).log()


def divergence(log_p: Tensor, log_q: Tensor, name: str) -> Tensor:
    """Per row: KL(q || p), KL(p || q), or the Jensen-Shannon divergence of weight BETA."""
    if name == "forward_kl":
        return (log_q.exp() * (log_q - log_p)).sum(-1)
    if name == "reverse_kl":
        return (log_p.exp() * (log_p - log_q)).sum(-1)
    log_m = (BETA * log_q.exp() + (1 - BETA) * log_p.exp()).log()
    return BETA * (log_q.exp() * (log_q - log_m)).sum(-1) + (1 - BETA) * (log_p.exp() * (log_p - log_m)).sum(-1)


def make_loss(arguments: argparse.Namespace) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    def loss(student: Tensor, snapshot: Tensor, reference: Tensor) -> Tensor:
        with torch.no_grad():
            log_q = log_anchor(snapshot.float(), reference.float(), arguments.interpolation)
        return divergence(log_softmax(student.float(), -1), log_q, arguments.divergence).mean()

    return loss


def make_linear_loss(arguments: argparse.Namespace) -> Callable[..., Tensor]:
    loss = make_loss(arguments)

    def linear_loss(*operands: Tensor) -> Tensor:
        student = linear(*operands[:2])
        with torch.no_grad():
            snapshot, reference = linear(*operands[2:4]), linear(*operands[4:])
        return loss(student, snapshot, reference)

    return linear_loss


def make_models(arguments: argparse.Namespace, device: str) -> list[Operands]:
    """One set: heads and logits do not stay in a cache from one run to the next."""
    generator = torch.Generator().manual_seed(1)

    def normal(rows: int, deviation: float) -> Tensor:
        values = deviation * torch.randn((rows, arguments.hidden), generator=generator)
        return values.to(device, TYPES[arguments.type])

    operands = [tensor for _ in range(3) for tensor in (normal(arguments.rows, 3), normal(arguments.vocabulary, arguments.hidden**-0.5))]
    return [(operands[0].requires_grad_(), operands[1].requires_grad_(), *operands[2:])]


def make_rows(arguments: argparse.Namespace, device: str) -> list[Operands]:
    """Sets of logits that are used in turn, so that none is in a cache when it comes round."""
    generator = torch.Generator().manual_seed(1)
    shape = (arguments.rows, arguments.vocabulary)

    def logits() -> Tensor:
        values = 3 * torch.randn(shape, generator=generator) + 8 * (torch.rand(shape, generator=generator) < 0.02)
        return values.to(device, TYPES[arguments.type])

    set_bytes = 3 * arguments.rows * arguments.vocabulary * TYPES[arguments.type].itemsize
    count = max(1, min(4, MOST_BYTES // set_bytes))
    return [(logits().requires_grad_(), logits(), logits()) for _ in range(count)]


def resident_bytes(key: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(key):
            return 1024 * int(line.split()[1])
    return 0


def restart_peak() -> int:
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    return resident_bytes("VmRSS:")


def measure(loss: Callable[..., Tensor], sets: list[Operands], device: str, runs: int, most_seconds: float) -> Result:
    def step(index: int) -> None:
        operands = sets[index % len(sets)]
        for operand in operands:
            operand.grad = None
        loss(*operands).backward()
        if device == "cuda":
            torch.cuda.synchronize()

    step(0)
    before = restart_peak() if device == "cpu" else torch.cuda.memory_allocated()
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    step(0)
    after = resident_bytes("VmHWM:") if device == "cpu" else torch.cuda.max_memory_allocated()
    millis: list[float] = []
    begun = time.perf_counter()
    for run in range(runs):
        if run >= LEAST_RUNS and time.perf_counter() - begun > most_seconds:
            break
        started = time.perf_counter()
        step(run + 1)
        millis.append(1e3 * (time.perf_counter() - started))
    ordered = sorted(millis)
    spread = ordered[3 * (len(ordered) - 1) // 4] - ordered[(len(ordered) - 1) // 4]
    return {"median_ms": statistics.median(millis), "spread_ms": spread, "peak_bytes": max(0, after - before)}


def liger_absence() -> str:
    if importlib.util.find_spec("liger_kernel") is None:
        return "liger_kernel is not installed"
    return "its kernels are Triton's and need CUDA" if not torch.cuda.is_available() else ""


def liger_jsd() -> Callable[..., Tensor]:
    """Liger's JSD wants log-probabilities; with beta 0 it is KL(teacher || student), with 1 the reverse."""
    from liger_kernel.transformers import LigerJSD

    return LigerJSD


def measure_liger(arguments: argparse.Namespace) -> Result:
    beta = {"forward_kl": 0.0, "reverse_kl": 1.0, "jsd": BETA}[arguments.divergence]
    jsd = liger_jsd()(beta=beta)

    def loss(student: Tensor, snapshot: Tensor, reference: Tensor) -> Tensor:
        with torch.no_grad():
            log_q = log_anchor(snapshot.float(), reference.float(), arguments.interpolation)
        return jsd(log_softmax(student.float(), -1), log_q)

    return measure(loss, make_rows(arguments, "cuda"), "cuda", arguments.runs, arguments.most_seconds)


def measure_liger_linear(arguments: argparse.Namespace) -> Result:
    """Liger's has one teacher, so the anchor is the reference here."""
    from liger_kernel.transformers import LigerFusedLinearJSD

    beta = {"forward_kl": 0.0, "reverse_kl": 1.0, "jsd": BETA}[arguments.divergence]
    jsd = LigerFusedLinearJSD(jsd_beta=beta)

    def loss(*operands: Tensor) -> Tensor:
        return jsd(*operands[:2], *operands[4:])

    return measure(loss, make_models(arguments, "cuda"), "cuda", arguments.runs, arguments.most_seconds)


def results(arguments: argparse.Namespace) -> Iterator[Result]:
    make_sets, make, liger, name_of_liger = (
        (make_rows, make_loss, measure_liger, "liger-jsd")
        if arguments.hidden is None
        else (make_models, make_linear_loss, measure_liger_linear, "liger-fused-linear-jsd")
    )
    devices = ["cpu"] + (["cuda"] if torch.cuda.is_available() else [])
    for device in devices:
        sets = make_sets(arguments, device)
        named = {"backend": device, "threads": arguments.threads, "version": torch.__version__}
        for name, loss in (("torch-eager", make(arguments)), ("torch-compile", torch.compile(make(arguments)))):
            try:
                timed = measure(loss, sets, device, arguments.runs, arguments.most_seconds)
                yield {"implementation": name} | named | timed
            except Exception as failure:
                yield {"implementation": name, "backend": device, "absent": f"failed: {str(failure).splitlines()[0]}"}
    if "cuda" not in devices:
        yield {"implementation": "torch", "backend": "cuda", "absent": "no CUDA device"}
    absence = liger_absence()
    yield {"implementation": name_of_liger, "backend": "cuda"} | ({"absent": absence} if absence else liger(arguments))


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures the anchor loss in PyTorch and Liger.")
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--vocabulary", type=int, required=True)
    parser.add_argument("--hidden", type=int)
    parser.add_argument("--type", choices=TYPES, default="fp32")
    parser.add_argument("--divergence", choices=DIVERGENCES, default="forward_kl")
    parser.add_argument("--interpolation", choices=INTERPOLATIONS, default="logit")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--most_seconds", type=float, default=20)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for result in results(arguments):
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
