"""Features with mean 0 and deviation 1 in every bin, by the statistics of a training set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 2.0**-11 / 3
_LEAST = 1e-6


@dataclass(frozen=True, eq=False)
class Standard:
    """What standardises a feature.

    Attributes:
        mean: Of every bin, float32, of a shape that broadcasts against the feature of one clip.
        scale: What to divide by: the standard deviation, and 1 where a bin hardly varied in training, so that it
            becomes 0 and never infinite or huge.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]

    @classmethod
    def of(cls, mean: NDArray[np.floating], deviation: NDArray[np.floating]) -> Standard:
        """From mean and standard deviation.

        A deviation that is no more than half precision's rounding of the mean counts as none.

        Raises:
            ValueError: The shapes differ, a value is not finite, or a deviation is negative.
        """
        centre, spread = np.asarray(mean, dtype=np.float64), np.asarray(deviation, dtype=np.float64)
        if centre.shape != spread.shape or not (np.isfinite(centre).all() and np.isfinite(spread).all()):
            raise ValueError("mean and deviation are finite and of one shape")
        if (spread < 0).any():
            raise ValueError("a deviation is negative")
        varies = spread > _LEAST + _ROUNDING * np.abs(centre)
        return cls(centre.astype(np.float32), np.where(varies, spread, 1.0).astype(np.float32))

    def __call__(self, feature: NDArray[np.floating]) -> NDArray[np.float32]:
        """Standardise ``(…, *shape)``."""
        return (np.asarray(feature, dtype=np.float32) - self.mean) / self.scale
