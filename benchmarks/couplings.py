"""Couplings of noise and data in one run, as Markdown tables: time, what they save, and whether others can work.

    OMP_NUM_THREADS=1 python benchmarks/couplings.py [--device cuda] [--seconds 2]

Data are uniform in [−1, 1], of 12 columns (k-osc with four oscillators) and 92 (Surge XT simple). Calls take turns, so
that whatever else the machine does slows all alike; times are medians, with their ratio to SciPy's. "Saved" is the
share of what the optimum saves of the squared distance of noise and data. The second table is how fast a Python loop
in another thread turns while pairings are under way, beside its speed during products of large matrices, which need a
core but no GIL.
"""

import argparse
import statistics
import threading
import time
from collections.abc import Callable, Mapping

import lap
import torch
from torch import Tensor

from wav2patch.models.couplings import HungarianCoupling, IndependentCoupling, SinkhornCoupling, squared_distances

BATCHES, WIDTHS = (128, 256, 1024), (12, 92)
Pairing = Callable[[Tensor, Tensor], Tensor]
SCIPY = "hungarian (scipy)"


def with_lap(start: Tensor, end: Tensor) -> Tensor:
    """As HungarianCoupling, by the solver of the lap package."""
    _, columns, _ = lap.lapjv(squared_distances(end, start).cpu().numpy())
    return start[torch.from_numpy(columns).long().to(start.device)]


PAIRINGS: Mapping[str, Pairing] = {
    "independent": IndependentCoupling(),
    SCIPY: HungarianCoupling(),
    "hungarian (lap)": with_lap,
    "sinkhorn": SinkhornCoupling(),
}


def batches(count: int, n: int, width: int, device: str) -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(n + width)
    draws = [torch.randn(n, width, generator=generator) for _ in range(count)]
    return [(one.to(device), (torch.rand(n, width, generator=generator) * 2 - 1).to(device)) for one in draws]


def timed(call: Callable[[], Tensor]) -> tuple[float, Tensor]:
    """Milliseconds, and what came out; reading a number waits for the device."""
    start = time.perf_counter()
    result = call()
    float(result[0, 0])
    return 1000 * (time.perf_counter() - start), result


def compare(n: int, width: int, device: str, seconds: float) -> tuple[dict[str, float], dict[str, float]]:
    """Median milliseconds and mean squared distances of the pairings, in turns on the same batches."""
    times: dict[str, list[float]] = {name: [] for name in PAIRINGS}
    costs: dict[str, list[float]] = {name: [] for name in PAIRINGS}
    data = batches(8, n, width, device)
    until, turn = time.perf_counter() + seconds, 0
    while time.perf_counter() < until or turn < 6:
        start, end = data[turn % len(data)]
        for name, pair in PAIRINGS.items():
            spent, paired = timed(lambda pair=pair, start=start, end=end: pair(start, end))
            times[name].append(spent)
            costs[name].append((paired - end).square().sum(dim=1).mean().item())
        turn += 1
    # The first turn warms up.
    return tuple({name: statistics.median(of[name][1:]) for name in PAIRINGS} for of in (times, costs))  # type: ignore


def turns(pair: Pairing, data: list[tuple[Tensor, Tensor]]) -> float:
    """Turns of a loop a second in this thread, while another pairs."""
    worker = threading.Thread(target=lambda: [pair(*one) for one in data])
    count, start = 0, time.perf_counter()
    worker.start()
    while worker.is_alive():
        count += 1
    return count / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seconds", type=float, default=2.0, help="spent on each batch size and width")
    options = parser.parse_args()
    print(f"{torch.get_num_threads()} threads, {options.device}\n")
    print("| batch | columns | coupling | ms | ratio | saved |\n|---:|---:|---|---:|---:|---:|")
    for width in WIDTHS:
        for n in BATCHES:
            times, costs = compare(n, width, options.device, options.seconds)
            most = costs["independent"] - costs[SCIPY]
            for name, spent in times.items():
                saved = (costs["independent"] - costs[name]) / most
                print(f"| {n} | {width} | {name} | {spent:.2f} | {spent / times[SCIPY]:.2f} | {saved:.1%} |")
    print(f"\n| coupling, batch {BATCHES[-1]}, {WIDTHS[-1]} columns | speed of another thread |\n|---|---:|")
    data = batches(8, BATCHES[-1], WIDTHS[-1], options.device)
    square = torch.zeros(2048, 2048)
    free = turns(lambda start, end: square @ square, data)
    for name, pair in PAIRINGS.items():
        if name != "independent":
            print(f"| {name} | {turns(pair, data) / free:.0%} |")


if __name__ == "__main__":
    main()
