"""Near-duplicates: rows of different splits whose patches are the same in all that can be heard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wav2patch.datasets.views.likeness import Likeness
from wav2patch.datasets.views.neighbours import MOST_TOLERANCE, Neighbours, digests
from wav2patch.datasets.views.view import View
from wav2patch.errors import UserError

_BLOCK = 4_096

Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Duplicates:
    """What was found.

    Attributes:
        rows: For every split that has some, numbers of its rows that have a near-duplicate in a split before it.
        examples: For every such split, what the first of these is like: the other split, and its row.
    """

    rows: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    examples: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(len(rows) for rows in self.rows.values())


def find_duplicates(
    splits: Mapping[str, View],
    likeness: Likeness,
    report: Report = lambda done, of: None,
) -> Duplicates:
    """Find the rows of every split that have a near-duplicate in one that comes before.

    Two rows are near-duplicates if everything in their patches that can be heard is the same: what is not continuous
    exactly, what is continuous up to the tolerance. Notes do not count. The last split is streamed; of those before
    it four bytes are held for each parameter of each patch that is no repetition.

    Args:
        splits: By name; a row that was found is not compared with what comes after it.
        likeness: What can be heard, and its tolerance: the largest difference, as a share of a parameter's range.
        report: Is told how many rows were compared, of how many.

    Raises:
        UserError: A row cannot be read.
    """
    total, done = sum(len(view) for view in splits.values()), 0
    rows: dict[str, NDArray[np.int64]] = {}
    examples: dict[str, tuple[str, int]] = {}
    known, last = _Known(likeness), list(splits)[-1:]
    for name, view in splits.items():
        before, found = known.neighbours(), []
        for start, likes in like_blocks(view, likeness):
            match = before.find(likes)
            hits = np.flatnonzero(match >= 0)
            if len(hits):
                found.append(hits + start)
                examples.setdefault(name, known.origin(int(match[hits[0]])))
            if name not in last:
                known.add(name, start + np.flatnonzero(match < 0), likes[match < 0])
            done += len(likes)
            report(done, total)
        if found:
            rows[name] = np.concatenate(found)
    return Duplicates(rows, examples)


class _Known:
    """What can be heard of the rows that were read, and whose they are."""

    def __init__(self, likeness: Likeness) -> None:
        self._likeness = likeness
        self._likes = [np.empty((0, len(likeness.exact)), dtype=np.float32)]
        self._origins: list[tuple[str, NDArray[np.int64]]] = []

    def add(self, name: str, rows: NDArray[np.int64], likes: NDArray[np.float32]) -> None:
        """Add rows of a split."""
        self._likes.append(likes)
        self._origins.append((name, rows))

    def neighbours(self) -> Neighbours:
        """All that is known, to be found again."""
        self._likes = [np.concatenate(self._likes)]
        return Neighbours(self._likes[0], self._likeness.exact, self._likeness.tolerance)

    def origin(self, number: int) -> tuple[str, int]:
        """Split and row of something that was found."""
        for name, rows in self._origins:
            if number < len(rows):
                return name, int(rows[number])
            number -= len(rows)
        raise IndexError(number)


def like_blocks(view: View, likeness: Likeness) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """What can be heard of the patches of a view, some rows ``(n, P)`` at a time, with the number of the first."""
    for start in range(0, len(view), _BLOCK):
        yield start, likeness(view.read("parameters", slice(start, start + _BLOCK)))


def view_digests(view: View, likeness: Likeness, report: Report = lambda done, of: None) -> NDArray[np.uint64]:
    """For every row a number that is the same for rows whose patches are the same in all that can be heard."""
    found = [np.empty(0, dtype=np.uint64)]
    for start, likes in like_blocks(view, likeness):
        found.append(digests(likes))
        report(start + len(likes), len(view))
    return np.concatenate(found)


def check_tolerance(tolerance: float) -> None:
    """Refuse a tolerance that means nothing.

    Raises:
        UserError: It is out of range.
    """
    if not 0 <= tolerance <= MOST_TOLERANCE:
        raise UserError(f"a tolerance is a share of a parameter's range from 0 to {MOST_TOLERANCE}, not {tolerance}.")
