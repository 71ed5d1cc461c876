"""The prior of a drafted spec: how far from the default knobs may be drawn so that few draws are silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wav2patch.drafting.bench import Bench, is_silent
from wav2patch.drafting.hearing import Heard
from wav2patch.drafting.words import is_level, is_pitch
from wav2patch.parameters import Categorical, Continuous, Parameter, ParameterSpace, Patch
from wav2patch.priors import IndependentPrior, Marginal
from wav2patch.synths.plugins.spec import on_grid

MOST_SILENT = 0.05
WANTED_SILENT = 0.03
STRENGTHS = (0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
MEDIAN_LUFS = -13.0
_ROUNDS = 6
_CUTS = 5
_FEWEST = 12
_LOWEST_LEVEL = 0.25
_PITCH_STRENGTH = 0.25
_STAGE = "looking for a prior"


@dataclass(frozen=True)
class Drawing:
    """How patches are drawn, and what draws are like.

    Attributes:
        marginals: By a parameter's name.
        strength: Probability that a parameter leaves its default.
        silent: Share of silent draws.
        gain: Brings the median draw to −13 LUFS, or nine draws in ten below full scale where that is less.
    """

    marginals: Mapping[str, Marginal]
    strength: float
    silent: float
    gain: float


def find_drawing(space: ParameterSpace, place: Bench, seed: int, count: int) -> Drawing:
    """The most adventurous prior whose draws are seldom silent.

    Stretches of knobs where silence is common are cut off first; then all knobs are kept nearer to their defaults
    until no more than `WANTED_SILENT` of the draws are silent.

    Args:
        space: Of the knobs.
        place: Where they are heard.
        seed: Of the draws.
        count: Renders for each attempt.
    """
    limits = {p.name: _limits(p) for p in space.parameters}
    attempts = _ROUNDS + len(STRENGTHS)
    for turn in range(_ROUNDS):
        marginals = _marginals(space, limits, STRENGTHS[0])
        patches, heard = _draws(space, marginals, place, seed + turn, count, (turn, attempts))
        if np.mean([_lost(h) for h in heard]) <= WANTED_SILENT:
            break
        if not _cut(space, limits, patches, np.array([_lost(h) for h in heard])):
            break
    for turn, strength in enumerate(STRENGTHS, start=_ROUNDS):
        marginals = _marginals(space, limits, strength)
        _, heard = _draws(space, marginals, place, seed + turn, count, (turn, attempts))
        silent = float(np.mean([_lost(h) for h in heard]))
        if silent <= WANTED_SILENT or strength == STRENGTHS[-1]:
            return Drawing(marginals, strength, silent, find_gain([h for h in heard if h]))
    raise AssertionError("the last strength always returns")


def find_gain(heard: Sequence[Heard]) -> float:
    """The factor that brings the median draw to −13 LUFS, if nine draws in ten then stay below full scale."""
    sounding = [h for h in heard if not is_silent(h)]
    if not sounding:
        return 1.0
    loud = 10 ** ((MEDIAN_LUFS - float(np.median([h.loudness for h in sounding]))) / 20)
    tall = 0.98 / float(np.quantile([h.peak for h in sounding], 0.9))
    return float(f"{min(loud, tall):.3g}")


def _lost(heard: Heard | None) -> bool:
    return heard is None or is_silent(heard)


def _draws(
    space: ParameterSpace, marginals: Mapping[str, Marginal], place: Bench, seed: int, count: int, at: tuple[int, int]
) -> tuple[Patch, list[Heard | None]]:
    patches = IndependentPrior(space, marginals).sample(np.random.default_rng([seed, 4]), count)
    turn, attempts = at
    return patches, place.hear(list(patches), _STAGE, turn / attempts, (turn + 1) / attempts)


def _limits(parameter: Parameter) -> Marginal:
    if isinstance(parameter, Continuous) and is_level(parameter.name):
        low = parameter.low + _LOWEST_LEVEL * (parameter.high - parameter.low)
        return Marginal(low=_short(parameter, low))
    return Marginal()


def _marginals(space: ParameterSpace, limits: Mapping[str, Marginal], strength: float) -> dict[str, Marginal]:
    return {p.name: _held(p, limits[p.name], strength) for p in space.parameters}


def _held(parameter: Parameter, limit: Marginal, strength: float) -> Marginal:
    # A sound whose pitch is anywhere is of no use: tuning moves seldom.
    leaving = min(strength, _PITCH_STRENGTH) if is_pitch(parameter.name) else strength
    return replace(limit, constant=float(parameter.default), probability=round(1 - leaving, 3))


def _cut(space: ParameterSpace, limits: dict[str, Marginal], patches: Patch, lost: NDArray[np.bool_]) -> bool:
    """Narrow the draws of the worst knobs; False where no knob stands out."""
    overall = float(lost.mean())
    worst: list[tuple[float, str, Marginal]] = []
    for parameter, values in zip(space.parameters, patches.T, strict=True):
        for part, narrower in _parts(parameter, limits[parameter.name], values):
            count = int(part.sum())
            excess = float(lost[part].mean()) - overall if count >= _FEWEST else 0.0
            if excess > max(0.03, 2.5 * np.sqrt(overall * (1 - overall) / max(count, 1))):
                worst.append((excess, parameter.name, narrower))
    for _, name, narrower in sorted(worst, key=lambda item: item[0])[-_CUTS:]:
        limits[name] = narrower
    return bool(worst)


def _parts(
    parameter: Parameter, limit: Marginal, values: NDArray[np.float64]
) -> list[tuple[NDArray[np.bool_], Marginal]]:
    """Parts of the draws that could be done without, each with the rule that leaves it out."""
    moved = values != parameter.default
    if isinstance(parameter, Categorical):
        weights = limit.weights or (1.0,) * len(parameter.choices)
        return [
            (moved & (values == i), Marginal(weights=(*weights[:i], 0.0, *weights[i + 1 :])))
            for i, weight in enumerate(weights)
            if weight and sum(w > 0 for w in weights) > 1
        ]
    if not isinstance(parameter, Continuous):
        return []
    low = parameter.low if limit.low is None else limit.low
    high = parameter.high if limit.high is None else limit.high
    third = (high - low) / 3
    return [
        (moved & (values < low + third), replace(limit, low=_short(parameter, low + third))),
        (moved & (values > high - third), replace(limit, high=_short(parameter, high - third))),
    ]


def _short(parameter: Continuous, value: float) -> float:
    """About the same value in a few digits, as exact as an encoding holds it."""
    return on_grid(parameter, round(value, 3))
