"""What each metric of the panel costs on a 4 s stereo clip, beside the same metric made of public packages.

    OMP_NUM_THREADS=1 python benchmarks/panel_cost.py

prints a Markdown table. The peers (``tests/metrics/peer_values.py``) need librosa, POT, dtw-python and
pyloudnorm; without them only the left half is printed. Times are medians after one call to warm up, in one
process; the values are printed too, because a time is worth nothing if the two do not compute the same.
"""

import argparse
import importlib
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wav2patch.metrics.panel import PANEL, evaluate

SAMPLE_RATE = 44100
PACKAGES = {
    "wmfcc": "librosa, dtw-python",
    "sot": "librosa, POT",
    "loudness": "pyloudnorm",
}


def clip(index: int, f0: float, decay: float) -> NDArray[np.float64]:
    """A decaying harmonic note over faint noise, ``(2, 4 s)``."""
    clock = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE
    note = sum(np.sin(2 * np.pi * k * f0 * clock) * np.exp(-decay * k * clock) / k for k in range(1, 17))
    return 0.2 * note + 1e-3 * np.random.default_rng([17, index]).standard_normal((2, len(clock)))


def milliseconds(call: Callable[[], object], repeats: int) -> float:
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(1000.0 * (time.perf_counter() - start))
    return statistics.median(times)


def peers() -> dict[str, Callable[..., float]]:
    sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "metrics"))
    try:
        functions = importlib.import_module("peer_values").PEERS
    except ImportError as error:
        print(f"No peers: {error}.\n", file=sys.stderr)
        return {}
    return {peer.__name__: peer for peer in functions}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    pair = clip(0, 220.0, 0.5), clip(1, 233.0, 0.8), SAMPLE_RATE
    others = peers()
    print("| metric | value | ms | peer's value | peer's ms | peer |")
    print("|---|---:|---:|---:|---:|---|")
    for metric in PANEL:
        function, other = metric.function, others.get(metric.name)
        if function is None:
            continue
        ours = f"{function(*pair):.6f} | {milliseconds(lambda f=function: f(*pair), repeats):.1f}"
        theirs = "– | – | –"
        if other is not None:
            cost = milliseconds(lambda f=other: f(*pair), repeats)
            theirs = f"{other(*pair):.6f} | {cost:.1f} | {PACKAGES.get(metric.name, 'librosa')}"
        print(f"| {metric.name} | {ours} | {theirs} |")
    print(f"| all (`evaluate`) | | {milliseconds(lambda: evaluate(*pair), repeats):.1f} | | | |")


if __name__ == "__main__":
    main()
