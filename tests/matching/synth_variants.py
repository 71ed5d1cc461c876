"""Dexed in other shapes: slow as a big plug-in, never the same twice, missing."""

from __future__ import annotations

import itertools
import time

import numpy as np

from wav2patch.notes import Note
from wav2patch.parameters import Patch
from wav2patch.synths.base import Audio
from wav2patch.synths.dexed import Dexed


class Slow(Dexed):
    """As fast as Surge XT: a twelfth of a second a render."""

    name = "slow"
    title = "Slow"

    def render(self, patch: Patch, note: Note, *, length: float, sample_rate: int) -> Audio:
        time.sleep(1 / 12)
        return super().render(patch, note, length=length, sample_rate=sample_rate)


class Noisy(Dexed):
    """Every render differs by noise of its own, as with free-running oscillators."""

    name = "noisy"
    title = "Noisy"
    noise_floor = 1.0

    def __init__(self) -> None:
        self._count = itertools.count()

    def render(self, patch: Patch, note: Note, *, length: float, sample_rate: int) -> Audio:
        audio = super().render(patch, note, length=length, sample_rate=sample_rate)
        generator = np.random.default_rng([11, next(self._count)])
        return audio * np.float32(10 ** (generator.normal(0.0, 2.0) / 20))


class Absent(Dexed):
    """A plug-in that is not installed."""

    name = "absent"

    def missing(self) -> str:  # type: ignore[override]
        return "Absent is not installed: install it."
