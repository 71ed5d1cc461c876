"""Which of the patches that a search found are shown: the closest, and others that differ from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wav2patch.matching.evaluator import Scored
from wav2patch.parameters import ParameterSpace, Patch

DIFFERENT = 0.5
"""Share of the parameters that are heard by which two candidates have to differ."""

WRONG_PITCH = 2.0
"""Decibels by which a candidate whose pitch is off by more than a quarter tone is put back."""

_CLOSE = 0.05
_WRONG_PITCH_CENTS = 50.0


def difference(space: ParameterSpace, one: Patch, other: Patch) -> NDArray[np.float64]:
    """Share of the parameters heard in either patch that differ by more than a twentieth of their range.

    Args:
        space: The parameters.
        one: Patches ``(…, P)``.
        other: Patches that broadcast with them.

    Returns:
        Shares ``(…)``, 0 to 1.
    """
    heard = space.active(one) | space.active(other)
    span = np.where(space.is_categorical, 1.0, space.high - space.low)
    apart = np.abs(one - other) / np.maximum(span, 1e-300) > np.where(space.is_categorical, 0.0, _CLOSE)
    return (apart & heard).sum(axis=-1) / np.maximum(heard.sum(axis=-1), 1)


def select(space: ParameterSpace, found: Sequence[Scored], count: int, least: float = DIFFERENT) -> list[Scored]:
    """The first of `found` and the next ones that differ from all that were taken, `count` in all if there are.

    Args:
        space: The parameters.
        found: In order of preference.
        count: How many to take.
        least: Least `difference` between any two; lowered by halves where too few are that different.
    """
    patches = np.stack([scored.patch for scored in found])
    chosen: list[int] = []
    nearest = np.full(len(found), np.inf)
    while len(chosen) < count and least > 1e-3:
        fitting = np.flatnonzero(nearest >= least)
        if not fitting.size:
            least /= 2
            continue
        chosen.append(int(fitting[0]))
        nearest = np.minimum(nearest, difference(space, patches, patches[chosen[-1]]))
    return [found[i] for i in sorted(chosen)]


def pitch_error(target: float | None, frequency: float | None) -> float:
    """Cents between two fundamentals in Hz, 0 where the target has none, infinite where only the other has none."""
    if target is None:
        return 0.0
    return abs(1200 * float(np.log2(frequency / target))) if frequency else np.inf


def pitch_is_right(target: float | None, frequency: float | None) -> bool:
    """Whether a render's pitch would pass for the target's; true where the target has none."""
    return pitch_error(target, frequency) <= _WRONG_PITCH_CENTS


def pitch_penalty(target: float | None, frequency: float | None) -> float:
    """Decibels that are added to the distance of a render whose pitch would not pass for the target's."""
    return 0.0 if pitch_is_right(target, frequency) else WRONG_PITCH
