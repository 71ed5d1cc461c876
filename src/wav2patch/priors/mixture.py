"""Several priors in one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wav2patch.parameters import ParameterSpace, Patch
from wav2patch.priors.base import Prior


@dataclass(frozen=True, eq=False)
class MixturePrior:
    """One of several priors of the same space by chance, then a draw of that one.

    Attributes:
        priors: At least one.
        weights: How often each is drawn from, relative to the others; above 0.

    Raises:
        ValueError: There is no prior, not one weight for each, a weight that is not a number above 0, or the spaces
            differ.
    """

    priors: tuple[Prior, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.priors or len(self.priors) != len(self.weights):
            raise ValueError(
                f"a mixture takes one weight a prior: {len(self.priors)} priors, {len(self.weights)} weights"
            )
        if not (np.isfinite(self.weights).all() and min(self.weights) > 0):
            raise ValueError(f"the weights of a mixture are numbers above 0, not {self.weights}")
        if len({prior.space.digest for prior in self.priors}) > 1:
            raise ValueError("the priors of a mixture are of different spaces")

    @property
    def space(self) -> ParameterSpace:
        """That of all the priors."""
        return self.priors[0].space

    @cached_property
    def _edges(self) -> NDArray[np.float64]:
        """The shares of the priors, added up."""
        shares = np.cumsum(np.divide(self.weights, max(self.weights)))
        return shares / shares[-1]

    def sample(self, generator: np.random.Generator, n: int) -> Patch:
        """Draw n patches, ``(n, P)``."""
        chosen = np.searchsorted(self._edges, generator.random(n), side="right")
        patches = np.empty((n, len(self.space)))
        for number, prior in enumerate(self.priors):
            rows = np.flatnonzero(chosen == number)
            if rows.size:
                patches[rows] = prior.sample(generator, len(rows))
        return patches
