"""Makes java/src/test/resources/golden/npz/: numpy archives, stored and deflated, with arrays of every type that Holdfast reads.

Usage: python make_npz_goldens.py [--out DIR]
"""

import argparse
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[2]


def main() -> None:
    """Makes all goldens."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "java/src/test/resources/golden/npz")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    values = np.array([[0, 1, -2], [3, 4, 5]])
    arrays = {
        "input0": values.astype(np.float32) / 4,
        "labels0": values.astype(np.int64),
        "half": values.astype(np.float16) / 4,
        "double": values / 4,
        "int": values.astype(np.int32),
        "byte": np.array([0, 255], dtype=np.uint8),
        "bool": np.array([True, False]),
        "scalar": np.array(7, dtype=np.int64),
        "empty": np.zeros((0, 3), dtype=np.float32),
    }
    np.savez(folder / "stored.npz", **arrays)
    np.savez_compressed(folder / "deflated.npz", **arrays)
    np.savez(folder / "fortran.npz", matrix=np.asfortranarray(values.astype(np.float32)))
    np.savez(folder / "big_endian.npz", matrix=values.astype(">f4"))


if __name__ == "__main__":
    main()
