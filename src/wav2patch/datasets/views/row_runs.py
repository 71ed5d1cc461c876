"""Sets of rows, as runs of numbers that lie side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Runs:
    """Numbers of rows, in ascending order.

    Attributes:
        runs: Ranges of step 1; none is empty, and there is room between any two.
    """

    runs: tuple[range, ...] = ()

    @classmethod
    def of(cls, runs: Iterable[range]) -> Runs:
        """From ranges in any order, which may touch or overlap."""
        merged: list[range] = []
        for run in sorted((run for run in runs if run), key=lambda run: run.start):
            if merged and run.start <= merged[-1].stop:
                merged[-1] = range(merged[-1].start, max(merged[-1].stop, run.stop))
            else:
                merged.append(run)
        return cls(tuple(merged))

    @classmethod
    def from_numbers(cls, numbers: NDArray[np.int64]) -> Runs:
        """From numbers in any order, each once."""
        if not len(numbers):
            return cls()
        ordered = np.sort(numbers)
        breaks = np.flatnonzero(np.diff(ordered) > 1) + 1
        starts, ends = ordered[[0, *breaks]], ordered[[*(breaks - 1), -1]]
        return cls(tuple(range(int(start), int(end) + 1) for start, end in zip(starts, ends, strict=True)))

    def __len__(self) -> int:
        return sum(len(run) for run in self.runs)

    def __sub__(self, other: Runs) -> Runs:
        return Runs(tuple(self._without(other)))

    def __and__(self, other: Runs) -> Runs:
        return self - (self - other)

    def __or__(self, other: Runs) -> Runs:
        return Runs.of((*self.runs, *other.runs))

    def head(self, count: int) -> Runs:
        """The first `count` rows, or all if there are fewer."""
        kept: list[range] = []
        for run in self.runs:
            if count <= 0:
                break
            kept.append(run[:count])
            count -= len(run)
        return Runs(tuple(kept))

    def numbers(self) -> NDArray[np.int64]:
        """All numbers, ``(n,)``."""
        return np.concatenate(
            [np.arange(run.start, run.stop, dtype=np.int64) for run in self.runs] or [np.empty(0, int)]
        )

    def _without(self, other: Runs) -> Iterator[range]:
        place = 0
        for run in self.runs:
            start = run.start
            while place < len(other.runs) and other.runs[place].stop <= start:
                place += 1
            at = place
            while at < len(other.runs) and other.runs[at].start < run.stop:
                if other.runs[at].start > start:
                    yield range(start, other.runs[at].start)
                start = other.runs[at].stop
                at += 1
            if start < run.stop:
                yield range(start, run.stop)
