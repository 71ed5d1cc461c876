"""The user's own presets as a prior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wav2patch.errors import UserError
from wav2patch.parameters import ParameterSpace, Patch


@dataclass(frozen=True, eq=False)
class PresetPrior:
    """A collection of presets, each as likely as the others; copies count once.

    Attributes:
        space: The parameter space.
        patches: ``(N, P)``, in any order; kept as `distinct` has them, so that a draw depends on what the collection
            holds and on nothing else.

    Raises:
        UserError: There is no preset, or a value is out of its range.
    """

    space: ParameterSpace
    patches: Patch

    def __post_init__(self) -> None:
        if not len(self.patches):
            raise UserError("a prior of presets needs at least one: give a folder that holds some.")
        kept = distinct(self.space, self.patches).view()
        kept.setflags(write=False)
        object.__setattr__(self, "patches", kept)

    def __len__(self) -> int:
        return len(self.patches)

    def sample(self, generator: np.random.Generator, n: int) -> Patch:
        """Draw n patches, ``(n, P)``."""
        return self.patches[generator.integers(len(self), size=n)]


def distinct(space: ParameterSpace, patches: Patch) -> Patch:
    """The different ones of patches ``(n, P)``, as an encoding holds them and in ascending order.

    Raises:
        UserError: A value is out of its parameter's range.
    """
    space.validate(patches)
    # This also turns -0.0 into 0.0, which equals it, but has other bytes, and digests are made of those.
    snapped = space.snap(patches)
    return snapped if _ascending(snapped) else np.unique(snapped, axis=0)


def _ascending(patches: Patch) -> bool:
    """Whether every patch is above the one before it, in a tenth of the time that sorting takes."""
    differs = patches[1:] != patches[:-1]
    rows, first = np.arange(len(differs)), differs.argmax(axis=1)
    return bool((patches[1:][rows, first] > patches[:-1][rows, first]).all())
