"""Renders a second, and how long a synth takes to be ready."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from wav2patch.checking.finding import Finding
from wav2patch.checking.place import SOUND, Place
from wav2patch.notes import Note
from wav2patch.parameters import Patch
from wav2patch.rendering.base import Failure, Renderer, Sound
from wav2patch.synths.base import Audio

LONG = Sound(Note(60, 100, 0.0, 3.0), 4.0, 44100)
_SECONDS = 4.0
_MOST = 400
_LEAST_LOAD = 0.1


def nothing(audio: Audio) -> None:
    """Keeps nothing of a render."""


def clock(audio: Audio) -> tuple[int, float]:
    """The process that made a render, and the seconds of computing that it has behind it."""
    return os.getpid(), time.process_time()


def judge_speed(place: Place) -> Finding:
    """Renders of 4 seconds at 44.1 kHz, each of another patch, on one worker and on two."""
    patches = place.patches(64)
    place.report("speed", 0.0)
    load, one, work = _measured(place, patches, 1)
    place.report("speed", 0.5)
    _, two, _ = _measured(place, patches, 2)
    figures = {"renders_per_second": one, "renders_per_second_2": two, "load_seconds": load}
    told = f"{one:.1f} renders of 4 s a second on one worker, {two:.1f} on two ({two / one:.1f} times)"
    # An engine that has processes of its own leaves the worker's clock nearly still.
    if work * one / 1000 > _LEAST_LOAD:
        figures["core_ms_per_render"] = work
        told += f", {work:.1f} ms of a core each"
    return Finding("speed", None, f"{told}; ready after {load:.1f} s.", figures)


def _measured(place: Place, patches: Sequence[Patch], workers: int) -> tuple[float, float, float]:
    """Seconds until the first render is there, renders a second from then on, and milliseconds of a core for each."""
    with place.renderer(workers) as renderer:
        began = time.monotonic()
        renderer.map(patches[:1], SOUND, nothing)
        ready = time.monotonic() - began
        # All workers have to be up before the clock runs.
        renderer.map(patches[: 4 * workers], SOUND, nothing)
        began = time.monotonic()
        seen = _rendered(renderer, patches, 4 * workers)
        return ready, len(seen) / (time.monotonic() - began), _work(seen)


def _rendered(renderer: Renderer, patches: Sequence[Patch], batch: int) -> list[tuple[int, float]]:
    """Render for some seconds; the clock of the process after each render that succeeded."""
    began, seen, turn = time.monotonic(), [], 0
    while len(seen) < _MOST and turn < _MOST and time.monotonic() - began < _SECONDS:
        wanted = [patches[(turn + i) % len(patches)] for i in range(batch)]
        seen += [clocked for clocked in renderer.map(wanted, LONG, clock) if not isinstance(clocked, Failure)]
        turn += batch
    return seen


def _work(seen: Sequence[tuple[int, float]]) -> float:
    """Milliseconds of a core for a render, whatever else the machine is at."""
    spans = {process: [seconds for owner, seconds in seen if owner == process] for process, _ in seen}
    steps = sum(len(times) - 1 for times in spans.values())
    return 1000 * sum(times[-1] - times[0] for times in spans.values()) / max(steps, 1)
