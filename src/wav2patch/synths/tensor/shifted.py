"""The distributions of the out-of-distribution variants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from wav2patch.parameters import ParameterSpace, Patch

SPREAD = 1.0 / 3.0
"""Standard deviation of the shifted parameters, and how far from 0 their mean is."""


@dataclass(frozen=True)
class ShiftedPrior:
    """Some parameters from a normal distribution cut off at the ends of their range, the others uniformly.

    Hayes et al. train k-sin on frequencies with mean −1/3 and test it with +1/3, both with standard deviation 1/3.

    Attributes:
        space: The parameter space; parameters reach from −1 to 1.
        shifted: Names of the parameters that are not uniform.
        mean: Of the normal distribution before it is cut off.
    """

    space: ParameterSpace
    shifted: tuple[str, ...]
    mean: float

    def sample(self, generator: np.random.Generator, n: int) -> Patch:
        """Draw n patches, ``(n, P)``."""
        uniform = generator.random((n, len(self.space)))
        patches = self.space.low + uniform * (self.space.high - self.space.low)
        places = self.space.indices(self.shifted)
        low, high = ndtr((self.space.low - self.mean) / SPREAD), ndtr((self.space.high - self.mean) / SPREAD)
        patches[:, places] = self.mean + SPREAD * ndtri(low + uniform * (high - low))[:, places]
        return self.space.snap(patches)
