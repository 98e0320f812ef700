"""Measures one fine-tuning step of SmolLM2-135M's shape in PyTorch and on ONNX Runtime's own artifacts, one after the other.

Needs no package itself: every implementation runs in a process of its own, in the Python that has its packages (README.md says
how to make them). Prints one JSON object a line: the work of a step, the machine's rate of matrix products, then a result
for each implementation. One that cannot run is reported with the reason as `absent`; one that fails, as `failed`.

Usage: python3 bench_step.py --torch_python BIN --ort_python BIN [--folder DIR] [--threads N] [--steps N]
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]

Result = dict[str, object]


def call(python: Path, script: str, *arguments: object) -> str:
    """The last line of what a script prints; its own messages go to our standard error."""
    command = [str(python), str(HERE / script), *map(str, arguments)]
    completed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    lines = completed.stdout.strip().splitlines()
    return lines[-1] if lines else ""


def measure(implementation: str, python: Path | None, script: str, *arguments: object) -> Result:
    if python is None:
        return {"implementation": implementation, "absent": "no Python with its packages was given"}
    try:
        result: Result = json.loads(call(python, script, *arguments))
    except subprocess.CalledProcessError as failure:
        return {"implementation": implementation, "failed": f"exit code {failure.returncode}"}
    return result


def interpreter(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"expected a Python interpreter, got {text}: no such file")
    return path


def results(arguments: argparse.Namespace) -> Iterator[Result]:
    folder: Path = arguments.folder
    torch_python: Path | None = arguments.torch_python
    ort_python: Path | None = arguments.ort_python
    any_python: Path = arguments.ort_python or arguments.torch_python
    yield json.loads(call(any_python, "step_shape.py", folder))
    if ort_python and not (folder / "ort-artifacts" / "optimizer_model.onnx").exists():
        call(ort_python, "step_ort.py", "artifacts", folder)
    threads = ("--threads", arguments.threads)
    counts = ("--warmup_steps", arguments.warmup_steps, "--steps", arguments.steps)
    yield measure("ort-matmul-fp32", ort_python, "step_ort.py", "matmul", folder, *threads)
    yield measure("ort-artifacts", ort_python, "step_ort.py", "step", folder, *threads, *counts)
    for precision in ("fp32", "bf16"):
        yield measure(f"torch-{precision}", torch_python, "step_torch.py", folder, "--precision", precision, *threads, *counts)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures one fine-tuning step of SmolLM2-135M's shape in other implementations.")
    parser.add_argument("--torch_python", type=interpreter, help="interpreter with the packages of requirements-torch.txt")
    parser.add_argument("--ort_python", type=interpreter, help="interpreter with the packages of requirements-ort.txt")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "build" / "bench" / "step", help="model, batch and artifacts")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warmup_steps", type=int, default=1)
    parser.add_argument("--steps", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.torch_python is None and arguments.ort_python is None:
        parser.error("expected --torch_python or --ort_python, got neither: nothing to measure")
    try:
        for result in results(arguments):
            print(json.dumps(result), flush=True)
    except subprocess.CalledProcessError as failure:
        sys.exit(f"{failure.cmd[1]}: cannot prepare the step: exit code {failure.returncode}")


if __name__ == "__main__":
    main()
