"""What a prior is: a distribution that patches are drawn from.

Draw i is a function of (seed, i) alone, so any one of millions can be made again by itself.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from wav2patch.parameters import ParameterSpace, Patch


class Prior(Protocol):
    """A distribution over the patches of one parameter space."""

    @property
    def space(self) -> ParameterSpace:
        """The space that is drawn from."""
        ...

    def sample(self, generator: np.random.Generator, n: int) -> Patch:
        """Draw n patches, ``(n, P)``."""
        ...


def draw(prior: Prior, seed: int, index: int, attempt: int = 0) -> Patch:
    """Patch number `index` ``(P,)`` of the endless list that `seed` stands for."""
    return prior.sample(np.random.default_rng([seed, index, attempt]), 1)[0]
