"""Renders a second of Surge XT, beside the reference way of doing the same, in one run.

    WAV2PATCH_SURGE_XT="…/Surge XT.vst3" python benchmarks/surge.py [--memory RENDERS]

The reference way is that of Hayes et al. (ISMIR 2025): the preset loaded anew for every render, and 32 seconds of
silence processed after it, after setting the controls, and after the note. Both ways take turns, so that a busy machine
slows both. `--memory` renders that often in one worker instead, and prints what its process holds as it goes.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from functools import partial

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from wav2patch.notes import Note
from wav2patch.priors import draw
from wav2patch.rendering.base import Failure, Sound
from wav2patch.rendering.processes import ProcessRenderer
from wav2patch.synths.base import Audio
from wav2patch.synths.plugins.pedalboard import PedalboardHost
from wav2patch.synths.plugins.private import private_environment, private_folder
from wav2patch.synths.plugins.surge import SurgeXT, patch_of, to_vstpreset

ROUNDS, COUNT, PLAIN = 3, 24, 1
RATE, SECONDS, SILENCE = 44100, 4.0, 32.0
SOUND = Sound(Note(60, 100, 0.0, 3.0), SECONDS, RATE)
DEADLINE = 60.0
SIZES = ("simple", "full")


def measure(audio: Audio) -> tuple[int, int, float]:
    """The worker's process, its resident memory in MiB, and the seconds of computing that it has behind it."""
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    return os.getpid(), pages * os.sysconf("SC_PAGE_SIZE") >> 20, time.process_time()


class Reference:
    """The reference way, in this process."""

    def __init__(self, synth: SurgeXT) -> None:
        self.synth, self.patches = synth, [draw(synth.prior(), 88, i) for i in range(PLAIN)]
        with private_environment(private_folder(self), {}):
            self.host = PedalboardHost(os.environ[synth.spec.variable])
        self.base = to_vstpreset(patch_of(synth._controls(synth.space.default), "base"))

    def __call__(self) -> int:
        for patch in self.patches:
            self.host.write_state(self.base)
            self.silence()
            self.host.set(self.synth._controls(patch))
            self.silence()
            self.host.play(SOUND.note, length=SECONDS, sample_rate=RATE)
            self.silence()
        return len(self.patches)

    def silence(self) -> None:
        self.host.settle(SILENCE, sample_rate=RATE)
        self.host.clear()


def workers(synth: SurgeXT, count: int) -> Callable[[], int]:
    renderer = ProcessRenderer(synth, count, DEADLINE)
    patches = [draw(synth.prior(), 88, i) for i in range(COUNT)]

    def run() -> int:
        return sum(not isinstance(result, Failure) for result in renderer.map(patches, SOUND, np.size))

    run()
    return run


def rates(tasks: dict[str, Callable[[], int]]) -> dict[str, float]:
    """Renders a second of each, the median of rounds in which they take turns."""
    seen: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(ROUNDS):
        for name, task in tasks.items():
            began = time.perf_counter()
            done = task()
            seen[name].append(done / (time.perf_counter() - began))
    return {name: float(np.median(values)) for name, values in seen.items()}


def speed() -> None:
    print("| 4 s stereo renders of Surge XT at 44.1 kHz, a second | reference way | ours | ours, 2 workers |")
    print("|---|---:|---:|---:|")
    for size in SIZES:
        synth = SurgeXT(size)
        found = rates({"plain": Reference(synth), "one": workers(synth, 1), "two": workers(synth, 2)})
        more, twice = found["one"] / found["plain"], found["two"] / found["one"]
        row = f"{found['plain']:.2f} | {found['one']:.1f} ({more:.0f} ×) | {found['two']:.1f} ({twice:.2f} × one)"
        print(f"| surge_xt_{size} | {row} |", flush=True)


def memory(renders: int) -> None:
    for size in SIZES:
        synth = SurgeXT(size)
        renderer = ProcessRenderer(synth, 1, DEADLINE)
        print(f"surge_xt_{size}: renders, MiB of the worker, renders lost")
        done, lost, work, steps = 0, 0, 0.0, max(renders // 10, 1)
        while done < renders:
            found = renderer.map([draw(synth.prior(), 89, done + i) for i in range(steps)], SOUND, measure)
            seen = [result for result in found if not isinstance(result, Failure)]
            done, lost, work = done + steps, lost + steps - len(seen), seen[-1][2] - seen[0][2]
            each = 1000 * work / (len(seen) - 1)
            print(f"  {done}  {seen[-1][1]}  {lost}  ({each:.0f} ms of a core each)", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--memory", type=int, metavar="RENDERS", help="render that often in one worker")
    arguments = parser.parse_args()
    if reason := SurgeXT("simple").missing():
        sys.exit(reason)
    (partial(memory, arguments.memory) if arguments.memory else speed)()


if __name__ == "__main__":
    main()
