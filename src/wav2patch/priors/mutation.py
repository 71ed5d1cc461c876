"""Patches that are a little different from those of another prior."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from wav2patch.parameters import ParameterSpace, Patch
from wav2patch.priors.base import Prior


@dataclass(frozen=True, eq=False)
class MutationPrior:
    """Draws of another prior, each changed in some of its parameters.

    A continuous or discrete parameter is moved, with probability `share`, by Gaussian noise, and stays at the end of
    its range where it would leave it: levels of 0 and of 99 are common in presets for good reason. A categorical one
    takes, with probability `redraw`, the value that a second draw has there, so that choices that no preset makes stay
    out. Three in ten controls are few enough for the sound to keep its character, and a whole collection's copies
    become different sounds; with all of them moved at once, tuning and levels fall apart together.

    Attributes:
        source: What is changed: the user's presets, or their crossovers.
        strength: Standard deviation of the noise as a share of the parameter's range, but at least half a step of
            a discrete one, as small grids would never move; 0 for no noise.
        share: Probability that a continuous or discrete parameter is moved.
        redraw: Probability that a categorical parameter is redrawn.

    Raises:
        ValueError: One of the numbers does not lie between 0 and 1.
    """

    source: Prior
    strength: float = 0.1
    share: float = 0.3
    redraw: float = 0.05

    def __post_init__(self) -> None:
        for name in ("strength", "share", "redraw"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"the {name} of mutations lies between 0 and 1, not {getattr(self, name)}")

    @property
    def space(self) -> ParameterSpace:
        """That of the source."""
        return self.source.space

    @cached_property
    def _noise(self) -> Patch:
        """Standard deviation of every parameter's noise, ``(P,)``."""
        least = np.where(self.space.is_continuous, 0.0, 0.5 * (self.strength > 0))
        return np.maximum(self.strength * (self.space.high - self.space.low), least)

    def sample(self, generator: np.random.Generator, n: int) -> Patch:
        """Draw n patches, ``(n, P)``."""
        patches, others = self.source.sample(generator, n), self.source.sample(generator, n)
        chance = generator.random(patches.shape)
        moved = patches + np.where(chance < self.share, self._noise * generator.standard_normal(patches.shape), 0.0)
        redrawn = np.where(chance < self.redraw, others, patches)
        return self.space.snap(np.where(self.space.is_categorical, redrawn, moved))
