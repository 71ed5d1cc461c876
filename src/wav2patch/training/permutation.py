"""Shuffles of any size that take no memory: where row i comes is computed, not looked up.

A Feistel network over a rectangle of numbers a little larger than the range, which is walked on from wherever it
leaves the range (Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002, methods 2 and 3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

# The two halves of a number then fit 31 bits, and their products 64.
_LARGEST = 2**60
# Eight are enough for large ranges; orders of five or six things are all equally likely from twelve on.
_ROUNDS = 12
# Keeps these keys apart from the generators that draw patches of the same seed.
_STREAM = 0x5048_5546


@dataclass(frozen=True)
class Permutation:
    """A pseudo-random order of ``range(size)``, the same for the same seed and epoch, on any machine.

    Attributes:
        size: How many there are, at most 2**60.
        seed: 0 or more.
        epoch: Another epoch is another order.

    Raises:
        ValueError: A number is out of range.
    """

    size: int
    seed: int
    epoch: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.size <= _LARGEST or self.seed < 0 or self.epoch < 0:
            raise ValueError(f"no order of {self.size} for seed {self.seed} and epoch {self.epoch}")

    def __len__(self) -> int:
        return self.size

    def __call__(self, positions: ArrayLike) -> NDArray[np.int64]:
        """What stands at each of the positions.

        Args:
            positions: Of any shape, each in ``range(size)``.

        Raises:
            IndexError: One is not.
        """
        places = np.asarray(positions, dtype=np.int64)
        if places.size and not 0 <= places.min() <= places.max() < self.size:
            raise IndexError(f"an order of {self.size} has no position outside of 0 to {self.size - 1}")
        found = self._mixed(places.ravel().astype(np.uint64))
        while (outside := np.flatnonzero(found >= self.size)).size:
            found[outside] = self._mixed(found[outside])
        return found.astype(np.int64).reshape(places.shape)

    @cached_property
    def _sides(self) -> tuple[np.uint64, np.uint64]:
        """Of the smallest rectangle, nearly square, that has room for all."""
        side = max(1, math.isqrt(max(self.size, 1) - 1) + 1)
        return np.uint64(side), np.uint64(max(1, -(-self.size // side)))

    @cached_property
    def _keys(self) -> NDArray[np.uint64]:
        return (
            np.random.SeedSequence([self.seed, self.epoch, _STREAM])
            .generate_state(_ROUNDS, np.uint64)
            .astype(np.uint64)
        )

    def _mixed(self, numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """One pass of the network, a bijection of the rectangle."""
        height, width = self._sides
        row, column = np.divmod(numbers, width)
        for first, second in self._keys.reshape(-1, 2):
            row = (row + _hash(column, first, height)) % height
            column = (column + _hash(row, second, width)) % width
        return row * width + column


def _hash(numbers: NDArray[np.uint64], key: np.uint64, below: np.uint64) -> NDArray[np.uint64]:
    """Numbers below `below`, which is at most 2**31, by the mixing steps of SplitMix64 (Steele et al., OOPSLA 2014)."""
    mixed = numbers ^ key
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((mixed >> np.uint64(32)) * below) >> np.uint64(32)
