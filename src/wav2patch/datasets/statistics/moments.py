"""Means, variances and extremes of many rows, gathered block by block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Moments:
    """What is known of some rows, each of shape ``(…)``, without the rows.

    Blocks are reduced in two passes and merged as Chan, Golub and LeVeque do ("Updating formulae and a pairwise
    algorithm for computing sample variances", 1979), all in float64: no large sums of squares are subtracted.

    Attributes:
        count: Rows.
        mean: Of the rows, ``(…)``.
        squares: Sum of the squared deviations from the mean, ``(…)``.
        low: The least value, ``(…)``.
        high: The largest value, ``(…)``.
    """

    count: int
    mean: Array
    squares: Array
    low: Array
    high: Array

    @classmethod
    def of(cls, rows: NDArray[np.generic]) -> Moments:
        """Of a block of rows ``(n, …)``, n at least 1; a value that is not finite makes the mean not finite."""
        values = rows.astype(np.float64)
        low, high = values.min(axis=0), values.max(axis=0)
        # Sums in the order of the rows: np.mean's order depends on the shape of the block.
        mean = np.add.reduce(values, axis=0) / len(values)
        with np.errstate(invalid="ignore"):
            values -= mean
        return cls(len(values), mean, np.add.reduce(np.square(values, out=values), axis=0), low, high)

    def merge(self, other: Moments) -> Moments:
        """Of these rows and the other ones."""
        count = self.count + other.count
        with np.errstate(invalid="ignore"):
            apart = other.mean - self.mean
            mean = self.mean + apart * (other.count / count)
            squares = self.squares + other.squares + np.square(apart) * (self.count * other.count / count)
        return Moments(count, mean, squares, np.minimum(self.low, other.low), np.maximum(self.high, other.high))

    @property
    def std(self) -> Array:
        """Standard deviation of the rows ``(…)``: their own, divided by n; exactly 0 for what never varies."""
        return np.where(self.constant, 0.0, np.sqrt(self.squares / self.count))

    @property
    def constant(self) -> NDArray[np.bool_]:
        """Which values are the same in every row, ``(…)``."""
        return self.low == self.high
