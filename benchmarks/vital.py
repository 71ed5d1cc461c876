"""Renders of Vital a second, beside the plain way of making them, in one run; and memory over many renders.

    python benchmarks/vital.py
    python benchmarks/vital.py --memory 5000

The plain way that gives the same sound each time is a new engine for every render: an engine that has played keeps
something of every note. Rates are the median of several rounds in which all take turns, so that a busy machine slows
all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from vita.vita import Synth as Engine

from wav2patch.notes import Note
from wav2patch.parameters import Patch
from wav2patch.priors import draw
from wav2patch.rendering.base import Sound
from wav2patch.rendering.threads import ThreadRenderer
from wav2patch.synths.base import Audio
from wav2patch.synths.vital.server import SETTLE
from wav2patch.synths.vital.synth import Vital, initial

ROUNDS, COUNT = 5, 24
SYNTH = Vital()
PATCHES = [draw(SYNTH.prior(), 88, i) for i in range(COUNT)]
FOUR = Sound(Note(60, 100, 0.0, 3.0), 4.0, 44100)


def plain_renders() -> None:
    """A new engine that loads the whole preset, as it would be done by hand."""
    for patch in PATCHES:
        engine = Engine()
        engine.load_json(json.dumps(initial().with_patch(patch)))
        engine.render(60, 100 / 127, 0.01, SETTLE)
        engine.render(60, 100 / 127, 3.0, 4.0)


def reused_renders() -> Callable[[], None]:
    """One engine for all: not the same sound each time, the least that rendering can cost."""
    engine = Engine()
    presets = [json.dumps(initial().with_patch(patch)) for patch in PATCHES]

    def run() -> None:
        for preset in presets:
            engine.load_json(preset)
            engine.render(60, 100 / 127, 3.0, 4.0)

    return run


def play(sound: Sound, patch: Patch) -> Audio:
    return SYNTH.render(patch, sound.note, length=sound.length, sample_rate=sound.sample_rate)


def renders(threads: int) -> Callable[[], None]:
    if threads == 1:
        return lambda: [play(FOUR, patch) for patch in PATCHES] and None
    renderer = ThreadRenderer(SYNTH, threads)
    return lambda: renderer.map(PATCHES, FOUR, np.size) and None


def default_renders() -> None:
    for _ in PATCHES:
        play(FOUR, SYNTH.space.default)


def measure(tasks: dict[str, Callable[[], None]]) -> None:
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    for task in tasks.values():
        task()
    for _ in range(ROUNDS):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            taken[name].append(time.perf_counter() - start)
    print("| 4 s stereo renders of Vital at 44.1 kHz, draws of the prior | a second |\n|---|---:|")
    for name, seconds in taken.items():
        print(f"| {name} | {COUNT / float(np.median(seconds)):.1f} |")


def resident(pid: int) -> float:
    """Resident memory of a process in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def memory(count: int) -> None:
    sound = Sound(Note(60, 100, 0.0, 0.05), 0.05, 44100)
    play(FOUR, PATCHES[0])
    helper = SYNTH._player(44100)._process.pid
    print("| renders | this process, MiB | its helper, MiB |\n|---:|---:|---:|")
    for i in range(count + 1):
        play(sound, PATCHES[i % COUNT])
        if i % max(count // 10, 1) == 0:
            print(f"| {i} | {resident(os.getpid()):.0f} | {resident(helper):.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--memory", type=int, metavar="RENDERS", help="print the memory over so many renders instead")
    count = parser.parse_args().memory
    if count is not None:
        memory(count)
        return
    measure(
        {
            "a new engine for every render": plain_renders,
            "one engine that remembers": reused_renders(),
            "ours, one thread": renders(1),
            "ours, two threads": renders(2),
            "ours, one thread, the initial patch": default_renders,
        }
    )


if __name__ == "__main__":
    main()
