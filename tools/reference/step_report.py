"""The report of bench_step.py: a table of implementations, the time by operator of our step, and how much of it is matrix product."""

import json
import os
import platform
import shlex
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

GIBIBYTE = 1 << 30
OPERATORS_SHOWN = 12
# Sums in another order; the updates of a few steps carry the differences on.
LOSS_TOLERANCE = 1e-4

Result = dict[str, object]


def load() -> str:
    """The load averages of 1, 5 and 15 minutes: what else the machine was doing."""
    return " ".join(f"{average:.2f}" for average in os.getloadavg())


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def environment(threads: int, loads: list[str]) -> Result:
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["python3", *sys.argv]),
        "commit": commit(),
        "processor": processor(),
        "logical_processors": os.cpu_count(),
        "threads": threads,
        "system": platform.platform(),
        "load_before_and_after": loads,
    }


def row(*cells: object) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


@dataclass(frozen=True)
class Report:
    """What was measured: the step's work, a result for each implementation, ours among them, and where."""

    step: Result
    results: list[Result]
    environment: Result

    def timed(self) -> list[Result]:
        return [result for result in self.results if "median_s" in result]

    def ours(self) -> Result | None:
        return next((result for result in self.timed() if result["implementation"] == "holdfast"), None)

    def deviation(self, result: Result) -> float | None:
        """The largest relative difference of a loss from ours; none where an implementation computes in another precision."""
        ours = self.ours()
        if ours is None or "bf16" in str(result["implementation"]):
            return None
        pairs = zip(ours["losses"], result["losses"], strict=True)
        return max(abs(mine - other) / abs(other) for mine, other in pairs)

    def losses_agree(self) -> bool:
        deviations = [self.deviation(result) for result in self.timed()]
        return all(deviation <= LOSS_TOLERANCE for deviation in deviations if deviation is not None)

    def markdown(self) -> str:
        parts = [["# One fine-tuning step of SmolLM2-135M's shape"], [self.what()], self.table(), self.unmeasured()]
        if self.ours() is not None:
            parts += [[self.matrix_products()], self.operators()]
        parts.append([f"- {key.replace('_', ' ')}: {value}" for key, value in self.environment.items()])
        return "\n\n".join("\n".join(part) for part in parts if part) + "\n"

    def what(self) -> str:
        step = self.step
        return (
            f"Batch {step['rows']} × {step['tokens_per_row']} tokens, logits at {step['response_tokens']} response positions; "
            "forward, backward, clipping, AdamW. Ratios are those of an implementation to ours: above 1 it takes more."
        )

    def table(self) -> list[str]:
        lines = [
            row("implementation", "median s", "min s", "ratio", "peak GiB", "ratio", "loss differs by", "version"),
            row("---", *["---:"] * 6, "---"),
        ]
        ours = self.ours()
        for result in self.timed():
            ratios = ["", ""] if ours is None else [f"{result[key] / ours[key]:.2f}" for key in ("median_s", "peak_rss_bytes")]
            deviation = self.deviation(result)
            name = result["implementation"] + (f" ({result['kernels']})" if "kernels" in result else "")
            lines.append(
                row(
                    name,
                    f"{result['median_s']:.3f}",
                    f"{result['min_s']:.3f}",
                    ratios[0],
                    f"{result['peak_rss_bytes'] / GIBIBYTE:.2f}",
                    ratios[1],
                    "" if deviation is None else f"{deviation:.1e}",
                    result["version"],
                )
            )
        return lines

    def unmeasured(self) -> list[str]:
        reasons = []
        for result in self.results:
            reasons += [f"- {result['implementation']}: {key}, {result[key]}" for key in ("absent", "failed") if key in result]
        return reasons

    def matrix_products(self) -> str:
        ours = self.ours()
        assert ours is not None
        operations = self.step["matrix_product_operations"] / 1e9
        rate = ours["matrix_product"]["best_gflops"]
        seconds = operations / rate
        peers = [
            result["best_gflops"] for result in self.results if result["implementation"] == "ort-matmul-fp32" and "best_gflops" in result
        ]
        peer = f"; ONNX Runtime's ran at {peers[0]:.0f}" if peers else ""
        optimizer = ours["median_s"] - ours["gradient_median_s"]
        return (
            f"Ours: forward and backward {ours['gradient_median_s']:.3f} s, optimizer {optimizer:.3f} s. A step has {operations:.0f} GFLOP "
            f"of matrix products (backward twice forward). The product of two {ours['matrix_product']['size']}² matrices ran at "
            f"{rate:.0f} GFLOP/s at best (median {ours['matrix_product']['median_gflops']:.0f}) in the same process{peer}. At that rate "
            f"they alone take {seconds:.3f} s: {100 * seconds / ours['median_s']:.0f} % of our step."
        )

    def operators(self) -> list[str]:
        ours = self.ours()
        assert ours is not None
        operators = ours["operators"]
        total = sum(operator["seconds"] for operator in operators)
        lines = [row("operator", "calls", "s a step", "share"), row("---", "---:", "---:", "---:")]
        for operator in operators[:OPERATORS_SHOWN]:
            seconds = operator["seconds"]
            lines.append(row(operator["operator"], f"{operator['calls']:.0f}", f"{seconds:.3f}", f"{100 * seconds / total:.1f} %"))
        others = sum(operator["seconds"] for operator in operators[OPERATORS_SHOWN:])
        lines.append(row("others", "", f"{others:.3f}", f"{100 * others / total:.1f} %"))
        return lines

    def write(self, folder: Path) -> None:
        content = {"step": self.step, "results": self.results, "environment": self.environment}
        (folder / "report.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        (folder / "report.md").write_text(self.markdown(), encoding="utf-8")
