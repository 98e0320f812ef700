"""Measures one fine-tuning step of SmolLM2-135M's shape: Holdfast, PyTorch, and ONNX Runtime on its own artifacts, in turn.

Needs no package itself: every implementation runs in a process of its own, the others in the Python that has their packages
(README.md says how to make them). Tells each result on standard error as one line of JSON and prints the report, which it also
leaves as report.json and report.md beside the model. An implementation that cannot run is reported with the reason as `absent`;
one that fails, as `failed`. Exit code 1 if the losses of an implementation in float32 differ from ours.

Usage: python3 bench_step.py --holdfast BIN --torch_python BIN --ort_python BIN [--kernels NAME] [--folder DIR] [--threads N] [--steps N]
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import step_report
from cpu import BFLOAT16_FEATURES, cpu_features

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
PROFILED_STEPS = 2

Result = dict[str, object]


def run(command: list[str]) -> str:
    """The last line of what a command prints; its own messages go to our standard error."""
    completed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    lines = completed.stdout.strip().splitlines()
    return lines[-1] if lines else ""


def call(python: Path, script: str, *arguments: object) -> str:
    return run([str(python), str(HERE / script), *map(str, arguments)])


def measure(implementation: str, python: Path | None, script: str, *arguments: object) -> Result:
    if python is None:
        return {"implementation": implementation, "absent": "no Python with its packages was given"}
    try:
        result: Result = json.loads(call(python, script, *arguments))
    except subprocess.CalledProcessError as failure:
        return {"implementation": implementation, "failed": f"exit code {failure.returncode}"}
    return result


class Holdfast:
    """Our own step, through the command line."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        """Takes launcher, kernels, folder, threads and steps from the arguments."""
        self.arguments = arguments
        self.artifact: Path = arguments.folder / f"holdfast-{arguments.kernels}"
        # Anew in every run: the graphs are part of what is measured.
        shutil.rmtree(self.artifact, ignore_errors=True)

    def export(self) -> None:
        kernels = ("--kernels", self.arguments.kernels)
        run(
            [
                str(self.arguments.holdfast),
                "export",
                "--model",
                str(self.arguments.folder),
                "--out",
                str(self.artifact),
                *kernels,
                "--quiet",
            ]
        )

    def step(self, steps: int, *flags: str) -> Result:
        folder: Path = self.arguments.folder
        target = folder / "holdfast.json"
        counts = ("--warmup_steps", str(self.arguments.warmup_steps), "--steps", str(steps), "--threads", str(self.arguments.threads))
        files = ("--artifact", str(self.artifact), "--batch", str(folder / "batch.npz"), "--json", str(target))
        run([str(self.arguments.holdfast), "bench", "step", *files, *counts, *flags, "--quiet"])
        result: Result = json.loads(target.read_text(encoding="utf-8"))
        return result

    def measure(self, precision: str) -> Result:
        """The times from a run without a profile, the operators from another."""
        name = "holdfast" if precision == "fp32" else f"holdfast-{precision}"
        implementation: Result = {"kernels": self.arguments.kernels}
        if self.arguments.holdfast is None:
            return implementation | {"implementation": name, "absent": "no launcher was given"}
        if precision == "bf16" and not BFLOAT16_FEATURES & cpu_features():
            return implementation | {"implementation": name, "absent": "the CPU has neither avx512_bf16 nor amx_bf16"}
        flags = ("--bf16", "true") if precision == "bf16" else ()
        try:
            if not self.artifact.exists():
                self.export()
            measured = self.step(self.arguments.steps, *flags)
            operators = self.step(PROFILED_STEPS, "--profile", *flags)["operators"]
            return implementation | measured | {"implementation": name, "operators": operators}
        except subprocess.CalledProcessError as failure:
            return implementation | {"implementation": name, "failed": f"exit code {failure.returncode}"}


def existing_file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"expected a program, got {text}: no such file")
    return path


def results(arguments: argparse.Namespace) -> Iterator[Result]:
    folder: Path = arguments.folder
    torch_python: Path | None = arguments.torch_python
    ort_python: Path | None = arguments.ort_python
    any_python: Path = arguments.ort_python or arguments.torch_python
    yield json.loads(call(any_python, "step_shape.py", folder))
    if ort_python and not (folder / "ort-artifacts" / "optimizer_model.onnx").exists():
        call(ort_python, "step_ort.py", "artifacts", folder)
    holdfast = Holdfast(arguments)
    for precision in ("fp32", "bf16"):
        yield holdfast.measure(precision)
    threads = ("--threads", arguments.threads)
    counts = ("--warmup_steps", arguments.warmup_steps, "--steps", arguments.steps)
    yield measure("ort-matmul-fp32", ort_python, "step_ort.py", "matmul", folder, *threads)
    yield measure("ort-artifacts", ort_python, "step_ort.py", "step", folder, *threads, *counts)
    for precision in ("fp32", "bf16"):
        yield measure(f"torch-{precision}", torch_python, "step_torch.py", folder, "--precision", precision, *threads, *counts)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures one fine-tuning step of SmolLM2-135M's shape in several implementations.")
    parser.add_argument("--holdfast", type=existing_file, help="the launcher, tools/holdfast")
    parser.add_argument("--kernels", choices=("holdfast", "stock"), default="holdfast", help="operators of our graph")
    parser.add_argument("--torch_python", type=existing_file, help="interpreter with the packages of requirements-torch.txt")
    parser.add_argument("--ort_python", type=existing_file, help="interpreter with the packages of requirements-ort.txt")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "build" / "bench" / "step", help="model, batch, artifacts and report")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warmup_steps", type=int, default=1)
    parser.add_argument("--steps", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.torch_python is None and arguments.ort_python is None:
        parser.error("expected --torch_python or --ort_python, got neither: one of them makes the model and the batch")
    return arguments


def main() -> None:
    arguments = parse()
    loads = [step_report.load()]
    measured: list[Result] = []
    try:
        for result in results(arguments):
            print(json.dumps(result), file=sys.stderr, flush=True)
            measured.append(result)
    except subprocess.CalledProcessError as failure:
        sys.exit(f"{failure.cmd[1]}: cannot prepare the step: exit code {failure.returncode}")
    loads.append(step_report.load())
    report = step_report.Report(measured[0], measured[1:], step_report.environment(arguments.threads, loads))
    report.write(arguments.folder)
    print(report.markdown())
    if not report.losses_agree():
        sys.exit("losses differ")


if __name__ == "__main__":
    main()
