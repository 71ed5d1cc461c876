"""Scales that notes and levels are counted on: the same for every set, so that sets can be laid side by side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scale:
    """Bins between `low` and `high`, with one more on either side.

    Bin 0 counts values up to and with `low`, the last one those above `high` and what is not a number; of a value on
    an edge, the bin below counts it.

    Attributes:
        name: What is counted.
        unit: Of the values.
        low: The first edge.
        high: The last edge.
        bins: Between these two.
    """

    name: str
    unit: str
    low: float
    high: float
    bins: int

    @cached_property
    def edges(self) -> NDArray[np.float64]:
        """``(bins + 1,)``."""
        return np.linspace(self.low, self.high, self.bins + 1)

    def count(self, values: NDArray[np.floating]) -> NDArray[np.int64]:
        """Histogram ``(bins + 2,)`` of values ``(n,)``."""
        return np.bincount(np.searchsorted(self.edges, values, side="left"), minlength=self.bins + 2)

    def quantile(self, counts: NDArray[np.int64], share: float) -> float:
        """The upper edge of the bin below which this share of the values lies; infinite beyond the scale."""
        place = int(np.searchsorted(np.cumsum(counts), share * counts.sum()))
        return float(self.edges[place]) if place < len(self.edges) else float("inf")


LOUDNESS = Scale("loudness", "LUFS", -70.0, 10.0, 80)
"""Whose first bin holds what is silent to BS.1770."""

PEAK = Scale("peak", "dBFS", -96.0, 24.0, 120)

PITCH = Scale("pitch", "", -0.5, 127.5, 128)
VELOCITY = Scale("velocity", "", 0.5, 127.5, 127)


def seconds(name: str, length: float) -> Scale:
    """For onsets and durations within a clip."""
    return Scale(name, "s", 0.0, length, 50)


def note_scales(length: float) -> tuple[Scale, Scale, Scale, Scale]:
    """For pitch, velocity, onset and duration."""
    return PITCH, VELOCITY, seconds("onset", length), seconds("duration", length)


def peak_decibels(clips: NDArray[np.float16]) -> NDArray[np.float64]:
    """Peaks in dB of full scale, ``(n,)``, of clips ``(n, …)`` in half precision; NaN where a sample is not finite."""
    # The bits of a half without its sign are in the order of its size, and integers compare many times faster.
    bits = clips.reshape(len(clips), -1).view(np.uint16) & np.uint16(0x7FFF)
    peaks = bits.max(axis=1).view(np.float16).astype(np.float64)
    with np.errstate(divide="ignore"):
        return np.where(np.isfinite(peaks), 20.0 * np.log10(peaks), np.nan)
