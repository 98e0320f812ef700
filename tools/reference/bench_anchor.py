"""Measures what an anchored step costs beside a supervised one: exact, and with the hidden states of snapshot and reference on the disk.

Runs the commands that a user types, each in a process of its own, on one set of rows in one order, so that steps of the same number are
of the same tokens. Where a Python with PyTorch is given, its step and its anchored step of three forward passes follow, on the batch of
step_shape.py. Prints the report, which it also leaves as report.json and report.md. Exit code 1 if the losses of a form that must not
change a bit differ from the exact one's.

Usage: python3 bench_anchor.py --holdfast BIN --model PATH [--torch_python BIN] [--folder DIR] [--threads N] [--steps N]
"""

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import step_report
from bench_step import REPOSITORY, Result, existing_file, measure

SEED = 20261128
GIBIBYTE = 1 << 30
MEBIBYTE = 1 << 20
BATCH = 4
BATCHES_PER_EPOCH = 4
# About 256 tokens a row, 106 of them the response, in a tokenizer that takes numbers digit by digit.
PROMPT_NUMBERS = 50
RESPONSE_NUMBERS = 35


def write_rows(file: Path) -> None:
    """Rows of numbers: their meaning is nothing to the time of a step."""
    generator = random.Random(SEED)

    def numbers(count: int) -> str:
        return "".join(f" {generator.randrange(10, 100)}" for _ in range(count))

    rows = ({"prompt": numbers(PROMPT_NUMBERS), "completion": numbers(RESPONSE_NUMBERS)} for _ in range(BATCH * BATCHES_PER_EPOCH))
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@dataclass(frozen=True)
class Form:
    """A job to measure."""

    name: str
    command: str
    flags: tuple[str, ...] = ()
    cache_type: str | None = None
    exact_bits: bool = False


FORMS = (
    Form("SFT", "sft"),
    Form("anchored, exact: three forward passes", "anchor", ("--cache", "never")),
    Form("anchored, float32 caches", "anchor", ("--cache", "always"), "float32", exact_bits=True),
    Form("anchored, bfloat16 caches", "anchor", ("--cache", "always"), "bfloat16"),
    Form("anchored, snapshot current, float32 cache", "anchor", ("--cache", "always", "--snapshot", "current"), "float32"),
)


@dataclass
class Runs:
    """The forms' runs, and what they measured."""

    arguments: argparse.Namespace
    results: dict[str, Result] = field(default_factory=dict)

    def holdfast(self, *arguments: str) -> None:
        subprocess.run([str(self.arguments.holdfast), *arguments, "--quiet"], check=True)

    @property
    def folder(self) -> Path:
        folder: Path = self.arguments.folder
        return folder

    def prepare_folder(self) -> None:
        """Anew in every run: the graphs are part of what is measured."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        write_rows(self.folder / "rows.jsonl")
        self.holdfast("export", "--model", str(self.arguments.model), "--out", str(self.folder / "artifact"))

    def flags(self, form: Form, out: Path) -> list[str]:
        steps: int = self.arguments.steps
        flags = {
            "artifact": self.folder / "artifact",
            "data": self.folder / "rows.jsonl",
            "out": out,
            "per_device_train_batch_size": BATCH,
            "max_steps": steps,
            "warmup_ratio": 0,
            "threads": self.arguments.threads,
        }
        if form.command == "anchor":
            flags |= {
                "reference": self.folder / "runs" / "0",
                "inner_epochs": -(-steps // BATCHES_PER_EPOCH),
                "outer_iterations": 1,
            }
        if form.cache_type:
            flags["cache_type"] = form.cache_type
        return [*(f"--{name}={value}" for name, value in flags.items()), *form.flags]

    def run(self, number: int, form: Form) -> Result:
        out = self.folder / "runs" / str(number)
        flags = self.flags(form, out)
        result: Result = {"form": form.name} | (self.build_caches(flags) if form.cache_type else {})
        self.holdfast(form.command, *flags)
        lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
        return result | {
            "tokens_per_second": [line["tokens_per_second"] for line in lines],
            "losses": [line["loss"] for line in lines],
            "peak_rss_bytes": lines[-1]["peak_memory_bytes"],
        }

    def build_caches(self, flags: list[str]) -> Result:
        cache = self.folder / "runs" / "cache"
        shutil.rmtree(cache, ignore_errors=True)
        started = time.perf_counter()
        self.holdfast("prepare", *flags)
        return {"cache_s": time.perf_counter() - started, "cache_bytes": sum(file.stat().st_size for file in cache.iterdir())}

    def measure(self) -> None:
        self.prepare_folder()
        for number, form in enumerate(FORMS):
            self.results[form.name] = self.run(number, form)
            print(json.dumps(self.results[form.name]), file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Report:
    """What was measured: ours by form, PyTorch's, and where."""

    ours: dict[str, Result]
    torch: list[Result]
    environment: Result

    def relative_time(self, result: Result) -> float:
        """The median over the steps but the first of its time over that of the same step of SFT."""
        own, base = (form["tokens_per_second"][1:] for form in (result, self.ours[FORMS[0].name]))
        return statistics.median(theirs / mine for mine, theirs in zip(own, base, strict=True))

    def deviation(self, result: Result) -> float:
        exact = self.ours[FORMS[1].name]["losses"]
        return max(abs(mine - other) / max(abs(other), 1e-12) for mine, other in zip(result["losses"][1:], exact[1:], strict=True))

    def bits_agree(self) -> bool:
        exact = self.ours[FORMS[1].name]["losses"]
        return all(self.ours[form.name]["losses"] == exact for form in FORMS if form.exact_bits)

    def markdown(self) -> str:
        parts = [["# What an anchored step costs"], self.table(), self.torch_table()]
        parts.append([f"- {key.replace('_', ' ')}: {value}" for key, value in self.environment.items()])
        return "\n\n".join("\n".join(part) for part in parts if part) + "\n"

    def table(self) -> list[str]:
        lines = [
            step_report.row("step", "tokens/s", "time over SFT", "peak GiB", "over SFT", "loss differs by", "caches: s", "MiB"),
            step_report.row("---", *["---:"] * 7),
        ]
        base = self.ours[FORMS[0].name]
        for form in FORMS:
            result = self.ours[form.name]
            anchored = form.command == "anchor"
            lines.append(
                step_report.row(
                    form.name,
                    f"{statistics.median(result['tokens_per_second'][1:]):.0f}",
                    f"{self.relative_time(result):.2f}",
                    f"{result['peak_rss_bytes'] / GIBIBYTE:.2f}",
                    f"{result['peak_rss_bytes'] / base['peak_rss_bytes']:.2f}",
                    f"{self.deviation(result):.1e}" if anchored else "",
                    f"{result['cache_s']:.1f}" if "cache_s" in result else "",
                    f"{result['cache_bytes'] / MEBIBYTE:.1f}" if "cache_bytes" in result else "",
                )
            )
        return lines

    def torch_table(self) -> list[str]:
        timed = [result for result in self.torch if "median_s" in result]
        lines = [
            f"- {result['implementation']}: {result.get('absent') or result.get('failed')}" for result in self.torch if result not in timed
        ]
        if timed:
            lines += [step_report.row("PyTorch", "median s", "over its SFT", "peak GiB"), step_report.row("---", *["---:"] * 3)]
        for result in timed:
            lines.append(
                step_report.row(
                    result["implementation"],
                    f"{result['median_s']:.3f}",
                    f"{result['median_s'] / timed[0]['median_s']:.2f}",
                    f"{result['peak_rss_bytes'] / GIBIBYTE:.2f}",
                )
            )
        return lines

    def write(self, folder: Path) -> None:
        content = {"forms": list(self.ours.values()), "torch": self.torch, "environment": self.environment}
        (folder / "report.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        (folder / "report.md").write_text(self.markdown(), encoding="utf-8")


def torch_results(arguments: argparse.Namespace) -> list[Result]:
    python: Path | None = arguments.torch_python
    if python is None:
        return []
    folder: Path = arguments.folder / "torch"
    measure("torch", python, "step_shape.py", folder)
    counts = ("--threads", arguments.threads, "--warmup_steps", 1, "--steps", arguments.torch_steps)
    return [measure(f"torch-fp32-{method}", python, "step_torch.py", folder, "--method", method, *counts) for method in ("sft", "anchor")]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures what an anchored step costs beside a supervised one.")
    parser.add_argument("--holdfast", type=existing_file, required=True, help="the launcher, tools/holdfast")
    parser.add_argument("--model", type=Path, required=True, help="a GGUF file or a Hugging Face folder")
    parser.add_argument("--torch_python", type=existing_file, help="interpreter with the packages of requirements-torch.txt")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "build" / "bench" / "anchor", help="artifact, runs and report; emptied")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--torch_steps", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.steps < 2:
        parser.error(f"--steps: expected at least 2, of which the first does not count, got {arguments.steps}")
    return arguments


def main() -> None:
    arguments = parse()
    loads = [step_report.load()]
    runs = Runs(arguments)
    runs.measure()
    torch = torch_results(arguments)
    loads.append(step_report.load())
    report = Report(runs.results, torch, step_report.environment(arguments.threads, loads))
    report.write(arguments.folder)
    print(report.markdown())
    if not report.bits_agree():
        sys.exit("losses differ")


if __name__ == "__main__":
    main()
