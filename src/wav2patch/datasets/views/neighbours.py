"""Finds, among many rows of numbers, those that are nearly equal to given ones, in time that grows with their sum.

Every column is cut into cells much wider than the tolerance, and a row is known by a hash of all its cells. A row
that lies close to the border of a cell could have its equal on the other side, so it is known by the hashes of both;
such rows are few, as the borders lie at random. What has a hash in common is then compared number by number.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST_TOLERANCE = 0.1

_CELL = 0.25
_CELLS_OF_TOLERANCE = 16
_MOST_HASHES = 16  # of one row, on average
_SLACK = 1e-6  # for numbers that were rounded to float32
_SEED = 7

Hashes = NDArray[np.uint64]


class Neighbours:
    """Rows ``(m, P)`` to be found again.

    Args:
        rows: Columns that are not exact lie in 0 to 1; a negative number there is unlike all others.
        exact: Columns that have to be equal, ``(P,)``; whole numbers.
        tolerance: Largest difference in the other columns, up to 0.1.
    """

    def __init__(self, rows: NDArray[np.float32], exact: NDArray[np.bool_], tolerance: float) -> None:
        self._exact, self._tolerance = exact, tolerance
        rng = np.random.default_rng(_SEED)
        self._factors = _factors(len(exact), rng)
        self._cell = max(_CELL, _CELLS_OF_TOLERANCE * tolerance)
        self._shifts = rng.uniform(0, self._cell, len(exact)).astype(np.float32)
        self._kept = np.unique(digests(rows, self._factors), return_index=True)[1]
        self._rows = rows[self._kept]
        self._celled = self._choose()
        hashes, owners = self._all_hashes()
        order = np.argsort(hashes, kind="stable")
        self._hashes, self._owners = hashes[order], owners[order]

    def find(self, rows: NDArray[np.float32]) -> NDArray[np.int64]:
        """For each of ``(n, P)``, the number of a row that is nearly equal, or −1: ``(n,)``."""
        found = np.full(len(rows), -1, dtype=np.int64)
        hashes = self._hash(rows)
        start = np.searchsorted(self._hashes, hashes, side="left")
        stop = np.searchsorted(self._hashes, hashes, side="right")
        open_rows = np.flatnonzero(start < stop)
        while len(open_rows):
            owners = self._owners[start[open_rows]]
            equal = self._alike(rows[open_rows], self._rows[owners])
            found[open_rows[equal]] = self._kept[owners[equal]]
            start[open_rows] += 1
            open_rows = open_rows[~equal & (start[open_rows] < stop[open_rows])]
        return found

    def _alike(self, one: NDArray[np.float32], two: NDArray[np.float32]) -> NDArray[np.bool_]:
        apart = np.abs(one - two)
        return np.all(apart <= np.where(self._exact, 0.0, self._tolerance + _SLACK), axis=1)

    def _choose(self) -> NDArray[np.intp]:
        """The columns that are cut into cells: as many as tolerance allows, those that tell rows apart best first."""
        columns = np.flatnonzero(~self._exact)
        at_border = 2 * (self._tolerance + _SLACK) / self._cell
        most = int(np.log(_MOST_HASHES) / np.log1p(at_border))
        spread = [_entropy(cells) for cells in self._cells(self._rows)[0][:, columns].T]
        return columns[np.argsort(-np.array(spread), kind="stable")[:most]]

    def _cells(self, rows: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The cell of every number, and how far into it the number lies."""
        cells, into = np.divmod(rows + self._shifts, np.float32(self._cell))
        return np.where(rows < 0, -1, cells).astype(np.int64), into

    def _hash(self, rows: NDArray[np.float32]) -> Hashes:
        exact, celled = self._exact, self._celled
        hashes = rows[:, exact].astype(np.int64).astype(np.uint64) @ self._factors[exact]
        return hashes + self._cells(rows)[0][:, celled].astype(np.uint64) @ self._factors[celled]

    def _all_hashes(self) -> tuple[Hashes, NDArray[np.int64]]:
        """All hashes by which rows are known, and the rows."""
        hashes, owners = self._hash(self._rows), np.arange(len(self._rows))
        into = self._cells(self._rows)[1]
        near = self._tolerance + 2 * _SLACK
        # 0 inside of a cell, -1 or +1 where the next cell is near; a row that is silent there has no next cell.
        sides = np.where(into <= near, -1, np.where(into >= self._cell - near, 1, 0)) * (self._rows >= 0)
        for column in self._celled:
            other = sides[owners, column]
            step = other[other != 0].astype(np.int64).astype(np.uint64) * self._factors[column]
            hashes = np.concatenate([hashes, hashes[other != 0] + step])
            owners = np.concatenate([owners, owners[other != 0]])
        return hashes, owners


def digests(rows: NDArray[np.float32], factors: Hashes | None = None) -> Hashes:
    """A number for each of ``(n, P)`` that is the same for equal rows, and for others hardly ever: ``(n,)``."""
    if factors is None:
        factors = _factors(rows.shape[1], np.random.default_rng(_SEED))
    return np.ascontiguousarray(rows).view(np.uint32).astype(np.uint64) @ factors


def _factors(count: int, rng: np.random.Generator) -> Hashes:
    return rng.integers(2**63, size=count, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def _entropy(cells: NDArray[np.int64]) -> float:
    counts = np.unique(cells, return_counts=True)[1]
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum())
