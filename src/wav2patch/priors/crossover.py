"""Children of two presets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wav2patch.errors import UserError
from wav2patch.parameters import ParameterSpace, Patch
from wav2patch.priors.presets import PresetPrior


@dataclass(frozen=True, eq=False)
class CrossoverPrior:
    """Two different presets of a collection, every block whole from one or the other.

    The blocks are the outermost ones of the space: an operator comes with its envelope. Parameters in no block come
    one by one. Each is from either parent with equal probability, but never all from one.

    Attributes:
        parents: The collection.

    Raises:
        UserError: The collection holds fewer than two different presets.
    """

    parents: PresetPrior

    def __post_init__(self) -> None:
        if len(self.parents) < 2:
            raise UserError("crossovers need at least two different presets: give a folder with more of them.")

    @property
    def space(self) -> ParameterSpace:
        """That of the parents."""
        return self.parents.space

    @cached_property
    def _unit(self) -> NDArray[np.intp]:
        """For every parameter, the number of what it is inherited with, ``(P,)``."""
        owner: dict[str, str] = {}
        for block in self.space.blocks:
            if block.parent is None:
                owner |= {name: block.name for name in block.parameters if name not in owner}
        keys = [("block", owner[name]) if name in owner else ("parameter", name) for name in self.space.names]
        numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        return np.array([numbers[key] for key in keys], dtype=np.intp)

    def sample(self, generator: np.random.Generator, n: int) -> Patch:
        """Draw n patches, ``(n, P)``."""
        count, units = len(self.parents), int(self._unit.max()) + 1
        first = generator.integers(count, size=n)
        second = (first + generator.integers(1, count, size=n)) % count
        from_first = generator.random((n, units)) < 0.5
        odd_one = generator.integers(units, size=n)
        alike = (from_first == from_first[:, :1]).all(axis=1)
        from_first[alike, odd_one[alike]] ^= True
        patches = self.parents.patches
        return np.where(from_first[:, self._unit], patches[first], patches[second])
