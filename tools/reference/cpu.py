"""What the processor of this machine can do."""

from pathlib import Path

# Either of them multiplies bfloat16; PyTorch's autocast and Holdfast's bf16 are slow or refused without.
BFLOAT16_FEATURES = {"avx512_bf16", "amx_bf16"}


def cpu_features() -> set[str]:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("flags"):
            return set(line.split())
    return set()
