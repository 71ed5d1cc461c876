"""Renders and distances a second, beside the plain way of doing the same, in one run.

    python benchmarks/speed.py

Every figure is the median of several rounds in which ours and the peer take turns, so that a busy machine slows both.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")

import dexed
import numpy as np

from wav2patch.matching.budget import Budget
from wav2patch.matching.evaluator import Evaluator
from wav2patch.metrics.objective import Objective
from wav2patch.metrics.spectrograms import mel_filters, stft_magnitude
from wav2patch.notes import Note
from wav2patch.priors import draw
from wav2patch.rendering.base import Sound
from wav2patch.rendering.inline import InlineRenderer
from wav2patch.rendering.threads import ThreadRenderer
from wav2patch.synths.catalogue import load_synth
from wav2patch.synths.dexed import to_voice

ROUNDS, COUNT = 7, 60
SYNTH = load_synth("dexed")
PATCHES = [draw(SYNTH.prior(), 88, i) for i in range(COUNT)]
FOUR, TWO = Sound(Note(60, 100, 0.0, 3.0), 4.0, 44100), Sound(Note(60, 100, 0.0, 1.5), 2.0, 44100)


def plain_renders() -> None:
    """dexed-py's own Python classes, a new synth for every patch."""
    for patch in PATCHES:
        synth = dexed.DexedSynth(44100.0)
        synth.load_patch(dexed.Patch.from_sysex(to_voice(patch) + b"\x3f"))
        synth.render(60, 100, 3.0, 4.0)


def renders(workers: int) -> Callable[[], None]:
    renderer = InlineRenderer(SYNTH) if workers == 1 else ThreadRenderer(SYNTH, workers)
    return lambda: renderer.map(PATCHES, FOUR, np.size) and None


def two_seconds(index: int) -> np.ndarray:
    return SYNTH.render(PATCHES[index], TWO.note, length=2.0, sample_rate=44100)[0]


def plain_distances() -> Callable[[], None]:
    """The spectrum part alone, with float64 spectrograms and dense filters, target and render each time."""
    windows = [(512, 40), (2048, 80), (8192, 200)]
    banks = [mel_filters(44100, n, bands).T.astype(np.float64) for n, bands in windows]
    target, renders = two_seconds(0).astype(np.float64), [two_seconds(i).astype(np.float64) for i in range(1, 11)]

    def levels(audio: np.ndarray, n: int, bank: np.ndarray) -> np.ndarray:
        return 10 * np.log10(stft_magnitude(audio, n, n // 2) ** 2 @ bank + 1e-6)

    def run() -> None:
        for audio in renders:
            for (n, _), bank in zip(windows, banks, strict=True):
                np.abs(levels(target, n, bank) - levels(audio, n, bank)).mean()

    return run


def distances() -> Callable[[], None]:
    objective, renders = Objective(two_seconds(0), 44100), [two_seconds(i) for i in range(1, 11)]
    return lambda: [objective(audio) for audio in renders] and None


def evaluations(workers: int) -> Callable[[], None]:
    renderer = InlineRenderer(SYNTH) if workers == 1 else ThreadRenderer(SYNTH, workers)

    def run() -> None:
        evaluator = Evaluator(SYNTH.space, renderer, TWO, Objective(two_seconds(0), 44100), Budget(renders=COUNT))
        evaluator(PATCHES, "prior")

    return run


def seconds(tasks: dict[str, Callable[[], None]]) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(ROUNDS):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            taken[name].append(time.perf_counter() - start)
    return {name: float(np.median(values)) for name, values in taken.items()}


def main() -> None:
    cores = os.cpu_count() or 1
    took = seconds({"plain": plain_renders, "one": renders(1), "all": renders(cores)})
    print("| 4 s renders of Dexed at 44.1 kHz | a second |\n|---|---:|")
    print(f"| dexed-py's own classes, one core | {COUNT / took['plain']:.0f} |")
    print(f"| ours, one core | {COUNT / took['one']:.0f} |")
    print(f"| ours, {cores} threads | {COUNT / took['all']:.0f} ({took['one'] / took['all']:.2f} × one) |")
    took = seconds({"plain": plain_distances(), "ours": distances()})
    print("\n| distance of a 2 s render | ms |\n|---|---:|")
    print(f"| log-mel alone, float64 and dense filters | {100 * took['plain']:.2f} |")
    print(f"| the search objective | {100 * took['ours']:.2f} |")
    took = seconds({"one": evaluations(1), "all": evaluations(cores)})
    print("\n| 2 s renders and their distances | a second |\n|---|---:|")
    print(f"| one core | {COUNT / took['one']:.0f} |")
    print(f"| {cores} threads | {COUNT / took['all']:.0f} ({took['one'] / took['all']:.2f} × one) |")


if __name__ == "__main__":
    main()
