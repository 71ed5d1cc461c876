"""Does a patch always sound the same: twice, after another patch, in a new process?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from wav2patch.checking.finding import Finding, decibels, quantile
from wav2patch.checking.place import SOUND, Place, apart
from wav2patch.metrics.panel import PANEL, evaluate
from wav2patch.parameters import Patch
from wav2patch.synths.base import Audio

NEGLIGIBLE_DB = 0.005
"""Distances below this are rounding: nobody hears them, and no search is led astray."""

_SLACK = 1.5
_BEYOND = 3.0
_PANEL_PAIRS = 24
_CHUNK = 16
_RENDERS = 7


@dataclass(frozen=True, eq=False)
class Takes:
    """Renders of one patch.

    Attributes:
        steady: Those right after another of the same patch: two in one process, one in a new one. What tells these
            apart is chance alone.
        others: Those after another patch, or first of all in a process.
    """

    steady: tuple[Audio, Audio, Audio]
    others: tuple[Audio, ...]

    @cached_property
    def chance(self) -> float:
        """The largest distance of two steady renders, in decibels."""
        return max(apart(one, other) for one, other in combinations(self.steady, 2))

    @cached_property
    def leftover(self) -> float:
        """How far one of the others is from the nearest steady one, in decibels."""
        return max(min(apart(steady, other) for steady in self.steady) for other in self.others)

    @cached_property
    def exact(self) -> bool:
        """Whether all renders are the same samples."""
        return all(np.array_equal(self.steady[0], audio) for audio in (*self.steady[1:], *self.others))


def take(place: Place, count: int) -> list[Takes]:
    """Seven renders each of `count` draws of the prior; patches with a render that fails are left out."""
    patches, between = place.patches(count), place.patches(count, start=count)
    one_process = [p for one, other in zip(patches, between, strict=True) for p in (one, one, one, other, one)]
    # In another order, so that nothing of the order can be a help.
    another = [p for patch in patches[::-1] for p in (patch, patch)]
    first = _in_one_process(place, one_process, 0.0, 0.7)
    second = _in_one_process(place, another, 0.7, 1.0)
    sets = [(*first[5 * i : 5 * i + 5], *second[2 * (count - 1 - i) : 2 * (count - i)]) for i in range(count)]
    whole = [[audio for audio in renders if audio is not None] for renders in sets]
    return [_takes(renders) for renders in whole if len(renders) == _RENDERS]


def _takes(renders: Sequence[Audio]) -> Takes:
    before, one, two, _, after, new, three = renders
    return Takes((one, two, three), (before, after, new))


def _in_one_process(place: Place, patches: Sequence[Patch], start: float, end: float) -> list[Audio | None]:
    played: list[Audio | None] = []
    with place.renderer() as renderer:
        for i in range(0, len(patches), _CHUNK):
            played += place.renders(renderer, patches[i : i + _CHUNK])
            place.report("the same patch again", start + (end - start) * len(played) / len(patches))
    return played


def judge_sameness(takes: Sequence[Takes], declared: float | None) -> list[Finding]:
    """Determinism, state leakage and the noise floor in the objective and in every metric of the panel.

    Args:
        takes: At least one.
        declared: The noise floor that the synth is known by; None if it has none on record yet.
    """
    chances = [found.chance for found in takes]
    floor, worst = quantile(chances, 0.9), max(chances)
    figures = {"noise_floor": _rounded(floor), "noise_floor_median": quantile(chances, 0.5), "noise_floor_worst": worst}
    return [_same(takes, declared), _leak(takes), _floor(worst, figures), *_panel(takes)]


def _rounded(floor: float) -> float:
    return floor if floor > NEGLIGIBLE_DB else 0.0


def _same(takes: Sequence[Takes], declared: float | None) -> Finding:
    name = "the same patch twice"
    exact = sum(found.exact for found in takes)
    worst = max(found.chance for found in takes)
    if exact == len(takes):
        return Finding(name, True, f"{exact} patches gave the same samples again, in a new process too.")
    told = f"{exact} of {len(takes)} gave the same samples; the others differ by up to {decibels(worst)}"
    if worst <= NEGLIGIBLE_DB:
        return Finding(name, True, f"{told}, which is rounding.")
    if declared is None:
        return Finding(name, None, f"{told}: this synth plays dice, and its noise floor goes on record.")
    if quantile([found.chance for found in takes], 0.9) <= _SLACK * declared + NEGLIGIBLE_DB:
        return Finding(name, True, f"{told}, nine in ten within the noise floor on record, {decibels(declared)}.")
    return Finding(name, False, f"{told}, and {decibels(declared)} is on record as its noise floor.")


def _leak(takes: Sequence[Takes]) -> Finding:
    """A–B–A: what is heard after another patch is the same, or where chance is at work, no further off than it takes.

    Each patch is judged by its own chance: one with noise in it says nothing of one without. Of those with chance, one
    in ten, and one in any case, may be further off, as three renders do not show all that chance can do.
    """
    exact = [found.leftover for found in takes if found.chance <= NEGLIGIBLE_DB]
    noisy = [found.leftover / found.chance for found in takes if found.chance > NEGLIGIBLE_DB]
    leaking = [distance for distance in exact if distance > NEGLIGIBLE_DB]
    beyond = sum(times > _BEYOND for times in noisy)
    holds = not leaking and beyond <= max(1, len(noisy) / 10)
    figures = {"leak_worst": max(exact, default=0.0)}
    if holds:
        told = f"nothing is left over from the patch before in {len(exact)} patches"
        return Finding("A–B–A", True, told + (f", or beyond chance in {len(noisy)}." if noisy else "."), figures)
    told = f"{len(leaking) + beyond} of {len(takes)} patches change after another was played"
    told += f", by up to {decibels(max(leaking))}" if leaking else ""
    return Finding("A–B–A", False, f"{told}: state leaks; try `flush`, `restore` or `reload` in the spec.", figures)


def _floor(worst: float, figures: dict[str, float]) -> Finding:
    told = f"nine patches in ten within {decibels(figures['noise_floor'])}, the worst {decibels(worst)}"
    return Finding("noise floor", None, f"{told}, in the objective's decibels.", figures)


def _panel(takes: Sequence[Takes]) -> list[Finding]:
    """How far each metric of the panel is from perfect between two renders of one patch."""
    pairs = [(f.steady[0], f.steady[2]) for f in takes[:_PANEL_PAIRS]]
    if all(np.array_equal(one, other) for one, other in pairs):
        return [Finding("in every metric", None, "perfect in all of the panel, as the samples are the same.")]
    off: dict[str, list[float]] = {}
    perfect = {metric.name: metric.perfect for metric in PANEL}
    for one, other in pairs:
        for name, value in evaluate(one, other, SOUND.sample_rate).items():
            if value is not None:
                off.setdefault(name, []).append(abs(value - perfect[name]))
    figures = {
        f"floor_{name}_{kind}": quantile(v, q) for name, v in off.items() for kind, q in (("median", 0.5), ("worst", 1))
    }
    told = ", ".join(f"{name} {quantile(values, 0.5):.2g} (worst {max(values):.2g})" for name, values in off.items())
    return [Finding("in every metric", None, f"off by {told}.", figures)]
