"""Every value equally likely, as the papers draw where they say nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wav2patch.parameters import ParameterSpace, Patch


@dataclass(frozen=True)
class UniformPrior:
    """Every parameter by itself, all its values equally likely."""

    space: ParameterSpace

    def sample(self, generator: np.random.Generator, n: int) -> Patch:
        """Draw n patches, ``(n, P)``."""
        uniform = generator.random((n, len(self.space)))
        # A whole step for the last value too, which plain rounding would give only half of.
        steps = np.floor(self.space.low + uniform * (self.space.high - self.space.low + 1))
        smooth = self.space.low + uniform * (self.space.high - self.space.low)
        return self.space.snap(np.where(self.space.is_continuous, smooth, steps))
