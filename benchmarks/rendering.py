"""Renders a second in line, in threads, in processes and on Ray, in one run; and the memory of a worker.

    python benchmarks/rendering.py [--synth dexed] [--renders 60] [--rounds 5] [--ray]
    python benchmarks/rendering.py --memory 5000 [--synth dexed]

The ways take turns, so that a busy machine slows all of them; a figure is the median of the rounds.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from wav2patch.notes import Note
from wav2patch.parameters import Patch
from wav2patch.priors import draw
from wav2patch.rendering.base import Failure, Renderer, Sound
from wav2patch.rendering.cluster import RayRenderer
from wav2patch.rendering.inline import InlineRenderer
from wav2patch.rendering.processes import ProcessRenderer
from wav2patch.rendering.threads import ThreadRenderer
from wav2patch.synths.base import Audio, Synth
from wav2patch.synths.catalogue import load_synth

FOUR = Sound(Note(60, 100, 0.0, 3.0), 4.0, 44100)
SHORTEST = Sound(Note(60, 100, 0.0, 0.001), 0.002, 44100)
STEPS = 10


def memory(audio: Audio) -> tuple[int, float]:
    """The worker's number and its resident memory in MB, after a render."""
    with open("/proc/self/statm") as file:
        return os.getpid(), int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def ways(synth: Synth, ray: bool) -> dict[str, Renderer]:
    found: dict[str, Renderer] = {"processes, 1": ProcessRenderer(synth, 1), "processes, 2": ProcessRenderer(synth, 2)}
    if not synth.may_crash:
        found |= {"in line": InlineRenderer(synth)}
        found |= {f"threads, {n}": ThreadRenderer(synth, n) for n in (1, 2)} if synth.releases_gil else {}
    if ray:
        found |= {f"Ray, {n}": RayRenderer(synth, n) for n in (1, 2)}
    return found


def seconds(renderers: dict[str, Renderer], patches: list[Patch], sound: Sound, rounds: int) -> dict[str, float]:
    """Median time of the whole list of patches."""
    taken: dict[str, list[float]] = {name: [] for name in renderers}
    for number in range(rounds + 1):
        for name, renderer in renderers.items():
            start = time.perf_counter()
            results = renderer.map(patches, sound, np.size)
            if failures := [result for result in results if isinstance(result, Failure)]:
                raise SystemExit(f"{name}: {failures[0].reason}")
            if number:  # the first round loads the engines
                taken[name].append(time.perf_counter() - start)
    return {name: float(np.median(values)) for name, values in taken.items()}


def compare(synth: Synth, renders: int, rounds: int, ray: bool) -> None:
    patches = [draw(synth.prior(), 88, i) for i in range(renders)]
    renderers = ways(synth, ray)
    long, short = (seconds(renderers, patches, sound, rounds) for sound in (FOUR, SHORTEST))
    print(
        f"| {renders} renders of {synth.name}, 4 s at 44.1 kHz | a second | × one of its kind | ms for 2 ms of sound |"
    )
    print("|---|---:|---:|---:|")
    for name in sorted(long):
        one = long.get(name.replace("2", "1"), long[name])
        figures = f"{renders / long[name]:.1f} | {one / long[name]:.2f} | {1000 * short[name] / renders:.2f}"
        print(f"| {name} | {figures} |")
    for renderer in renderers.values():
        renderer.close()


def watch_memory(synth: Synth, renders: int) -> None:
    renderer = ProcessRenderer(synth, 1)
    print(f"| renders of {synth.name}, 4 s at 44.1 kHz | MB of the worker |\n|---:|---:|")
    for step in range(STEPS):
        places = range(step * renders // STEPS, (step + 1) * renders // STEPS)
        results = renderer.map([draw(synth.prior(), 88, i) for i in places], FOUR, memory)
        workers = dict(result for result in results if not isinstance(result, Failure))
        lost = sum(isinstance(result, Failure) for result in results)
        print(f"| {places.stop} | {', '.join(f'{mb:.1f}' for mb in workers.values())} |{f' {lost} lost' * bool(lost)}")
    renderer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--synth", default="dexed")
    parser.add_argument("--renders", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ray", action="store_true", help="on a Ray cluster of this machine, too")
    parser.add_argument("--memory", type=int, metavar="N", help="watch a worker's memory over N renders instead")
    options = parser.parse_args()
    synth = load_synth(options.synth)
    if reason := synth.missing():
        raise SystemExit(reason)
    if options.memory:
        watch_memory(synth, options.memory)
    else:
        compare(synth, options.renders, options.rounds, options.ray)


if __name__ == "__main__":
    main()
