"""What one pass over the rows of a view gathers, block by block, in one process or in many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from wav2patch.datasets.shards.layout import AUDIO, FEATURES, NOTE_COLUMNS
from wav2patch.datasets.statistics.moments import Moments
from wav2patch.datasets.statistics.parameter_axes import ParameterAxis, count_parameters
from wav2patch.datasets.statistics.scales import LOUDNESS, PEAK, note_scales, peak_decibels
from wav2patch.datasets.views.view import View
from wav2patch.errors import UserError

BLOCK = 256
"""Rows that are summarised together. Fixed, so that the last digit does not depend on the number of workers."""

# Rows in memory at once: few enough to stay in the processor's cache while they are worked on.
_STEP = 8


@dataclass(frozen=True, eq=False)
class Summary:
    """Of some rows.

    Attributes:
        rows: How many.
        moments: By field, and of ``"peak"`` where clips were read: finite peaks in dBFS.
        counts: Histograms: ``"parameters"`` (see `count_parameters`), the note's columns, ``"loudness"``, ``"peak"``.
        rejected: Draws that were rejected on the way to these rows.
    """

    rows: int
    moments: Mapping[str, Moments]
    counts: Mapping[str, NDArray[np.int64]]
    rejected: int

    def merge(self, other: Summary) -> Summary:
        """Of these rows and the next ones."""
        moments = {name: one.merge(other.moments[name]) for name, one in self.moments.items()}
        counts = {name: one + other.counts[name] for name, one in self.counts.items()}
        return Summary(self.rows + other.rows, moments, counts, self.rejected + other.rejected)


@dataclass(frozen=True)
class Summarise:
    """Summarises the rows of a view.

    Attributes:
        view: That is read.
        axes: Its parameters.
        clips: Whether audio is read too.
    """

    view: View
    axes: tuple[ParameterAxis, ...]
    clips: bool

    def __call__(self, rows: range) -> Summary:
        """Of rows that lie side by side.

        Raises:
            UserError: A file is missing or damaged, or a value is not a finite number.
        """
        part = slice(rows.start, rows.stop)
        plain = {name: self.view.read(name, part) for name in ("parameters", "notes", "loudness", "attempt")}
        moments = {
            name: self._finite(name, rows, Moments.of(plain[name])) for name in ("parameters", "notes", "loudness")
        }
        counts = _count_plain(self.axes, plain, self.view.recipe.length)
        for name in self.view.fields:
            if name.startswith(FEATURES):
                moments[name] = self._finite(name, rows, self._moments(name, rows))
        if self.clips:
            peaks = np.concatenate([peak_decibels(self.view.read(AUDIO, step)) for step in _steps(rows)])
            self._check(AUDIO, rows, np.isnan(peaks))
            counts["peak"] = PEAK.count(peaks)
            moments["peak"] = Moments.of(np.maximum(peaks, PEAK.low))
        return Summary(len(rows), moments, counts, int(plain["attempt"].sum()))

    def _moments(self, field: str, rows: range) -> Moments:
        return reduce(Moments.merge, (Moments.of(self.view.read(field, step)) for step in _steps(rows)))

    def _finite(self, field: str, rows: range, found: Moments) -> Moments:
        if not np.isfinite(found.mean).all():
            bad = [not np.isfinite(self.view.read(field, row)).all() for row in rows]
            self._check(field, rows, np.array(bad))
        return found

    def _check(self, field: str, rows: range, bad: NDArray[np.bool_]) -> None:
        if bad.any():
            raise UserError(
                f"{self.view.address} is damaged: {field} of row {rows.start + int(bad.argmax())} holds what is no "
                "finite number; `wav2patch data verify` tells which file it is in."
            )


def blocks(rows: int) -> Sequence[range]:
    """What `Summarise` takes, in order."""
    return [range(first, min(first + BLOCK, rows)) for first in range(0, rows, BLOCK)]


def _steps(rows: range) -> list[slice]:
    return [slice(first, min(first + _STEP, rows.stop)) for first in range(rows.start, rows.stop, _STEP)]


def _count_plain(
    axes: Sequence[ParameterAxis], plain: Mapping[str, NDArray[np.generic]], length: float
) -> dict[str, NDArray[np.int64]]:
    counts = {"parameters": count_parameters(axes, plain["parameters"].astype(np.float32, copy=False))}
    notes = plain["notes"].astype(np.float64, copy=False)
    for name, scale, values in zip(NOTE_COLUMNS, note_scales(length), notes.T, strict=True):
        counts[name] = scale.count(values)
    return counts | {"loudness": LOUDNESS.count(plain["loudness"].astype(np.float64, copy=False))}
