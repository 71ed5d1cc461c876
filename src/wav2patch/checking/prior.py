"""What draws of the prior are like, and whether the engine survives them."""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wav2patch.checking.finding import Finding, quantile
from wav2patch.checking.place import SOUND, Measure, Measured, Place
from wav2patch.rendering.base import Failure, Sound
from wav2patch.synths.base import Audio, Synth

SILENT_LUFS = -55.0
MOST_SILENT = 0.05
MOST_FAILED = 0.01
MOST_KIB = 16.0
"""A render may leave this much behind: 80 MB after 5,000 renders."""

_FEW = 60
_CHUNK = 32
_WORKERS = 2


@dataclass(frozen=True)
class Killer:
    """Ends its worker with SIGKILL in place of keeping a render, but in the process that made it."""

    home: int

    def __call__(self, audio: Audio) -> int:
        """End this process, unless it is the one that asks."""
        if os.getpid() != self.home:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        return os.getpid()


def judge_prior(place: Place, count: int) -> list[Finding]:
    """Render `count` draws on two workers and look at what comes."""
    results: list[Measured | Failure] = []
    patches = place.patches(count)
    with place.renderer(_WORKERS) as renderer:
        for i in range(0, count, _CHUNK):
            results += renderer.map(patches[i : i + _CHUNK], SOUND, Measure(SOUND.sample_rate))
            place.report("draws of the prior", len(results) / count)
    measured = [result for result in results if not isinstance(result, Failure)]
    failed = [result.reason for result in results if isinstance(result, Failure)]
    findings = [_survived(failed, count)]
    if measured:
        findings += [_silent(measured, _most_silent(place.synth)), _levels(measured)]
        findings.append(_memory(measured, getattr(place.synth, "max_tasks", None)))
    return findings


def judge_replacement(place: Place) -> Finding:
    """Kill a worker in the middle of a render: that render is lost, the next one must not be."""
    name = "a killed worker"
    patch, killer = place.synth.space.default, Killer(os.getpid())
    with place.renderer() as renderer:
        (lost,) = renderer.map([patch], Sound(SOUND.note, SOUND.length, SOUND.sample_rate), killer)
        (after,) = renderer.map([patch], SOUND, Measure(SOUND.sample_rate))
    if not isinstance(lost, Failure):
        return Finding(name, None, "renders ran in the program's own process, where none can be killed.")
    if isinstance(after, Failure):
        return Finding(name, False, f"after a worker was killed, the next render failed: {after.reason}.")
    return Finding(name, True, "cost one render; the next one came from a new worker.")


def _survived(failed: Sequence[str], count: int) -> Finding:
    share = len(failed) / count
    ended = sum("process" in reason for reason in failed)
    slow = sum("longer than" in reason for reason in failed)
    figures = {"draws": count, "failed": len(failed), "crashed": ended, "timed_out": slow}
    if not failed:
        return Finding("crashes and hangs", True, f"all {count} draws of the prior were rendered.", figures)
    told = f"{len(failed)} of {count} draws failed ({ended} ended their process, {slow} took too long)"
    return Finding("crashes and hangs", share <= MOST_FAILED, f"{told}; one was: {failed[0]}.", figures)


def _most_silent(synth: Synth) -> float:
    """The share of silent draws that a spec allows: a paper's own prior may have more than others."""
    return float(getattr(getattr(synth, "spec", None), "most_silent", MOST_SILENT))


def _silent(measured: Sequence[Measured], most: float) -> Finding:
    silent = sum(m.loudness <= SILENT_LUFS for m in measured)
    share = silent / len(measured)
    told = f"{silent} of {len(measured)} draws are quieter than {SILENT_LUFS:g} LUFS ({share:.1%})"
    ending = "." if share < most else f"; fewer than {most:.0%} may be."
    return Finding("silent draws", share < most, told + ending, {"silent_share": share})


def _levels(measured: Sequence[Measured]) -> Finding:
    loud = [m.loudness for m in measured if m.loudness > SILENT_LUFS]
    peaks = [m.peak for m in measured]
    figures = {f"loudness_{k}": quantile(loud, q) for k, q in (("low", 0.1), ("median", 0.5), ("high", 0.9))}
    figures |= {"peak_median": quantile(peaks, 0.5), "peak_high": quantile(peaks, 0.9)}
    told = "loudness {loudness_median:.1f} LUFS ({loudness_low:.1f} to {loudness_high:.1f} in eight of ten)"
    told += ", peak {peak_median:.2f}, nine in ten below {peak_high:.2f}."
    return Finding("levels", None, told.format(**figures), figures)


def _memory(measured: Sequence[Measured], lifetime: int | None = None) -> Finding:
    """Growth of the workers' memory a render, by a line through their second halves.

    Args:
        measured: Renders of some workers, in order.
        lifetime: Renders after which a worker is replaced anyway; None for never.
    """
    slope = growth(measured)
    if slope is None:
        return Finding("memory", None, "too few renders a worker to tell whether memory grows.")
    told = f"a worker grows by {slope:.1f} KiB a render"
    figures = {"memory_kib_per_render": slope}
    if slope <= MOST_KIB:
        return Finding("memory", True, f"{told}.", figures)
    if lifetime is not None:
        return Finding("memory", True, f"{told}, and is replaced after {lifetime}.", figures)
    return Finding("memory", False, f"{told}: give the spec's setting a `lifetime`, or it fills the machine.", figures)


def growth(measured: Sequence[Measured]) -> float | None:
    """KiB that the worst worker grows by with a render, 0 or more; None where too few renders tell."""
    lines: dict[int, list[float]] = defaultdict(list)
    for result in measured:
        lines[result.process].append(result.memory)
    slopes = [_slope(values[len(values) // 2 :]) for values in lines.values() if len(values) >= _FEW and values[0]]
    return max(*slopes, 0.0) if slopes else None


def _slope(values: Sequence[float]) -> float:
    return float(np.polyfit(np.arange(len(values)), values, 1)[0])
