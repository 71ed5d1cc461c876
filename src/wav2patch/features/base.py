"""What every feature offers, and how features are written in words.

In words a feature is its name, followed by the settings that differ from their defaults: ``log_mel``,
``log_mel:bands=64:hop=0.02``. The words hold no comma and no slash, so that they list on a command line and name a
group of an HDF5 file.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from wav2patch.spelling import spell


class Feature(Protocol):
    """Something that is computed from the audio of one clip.

    Features are frozen dataclasses of numbers with defaults: they pickle, compare, and are what they are called.
    """

    @property
    def name(self) -> str:
        """Canonical words: `wav2patch.features.catalogue.load_feature` gives an equal feature for them."""
        ...

    def shape(self, channels: int, samples: int, sample_rate: int) -> tuple[int, ...]:
        """Shape of the feature of a clip ``(channels, samples)``."""
        ...

    def __call__(self, audio: NDArray[np.floating], sample_rate: int) -> NDArray[np.float32]:
        """Compute the feature.

        Args:
            audio: ``(channels, samples)``, finite; 1.0 is full scale, and louder clips may go beyond it.
            sample_rate: In Hz, 16,000 or more.

        Returns:
            Float32 of `shape`, finite, the same for the same audio whatever was computed before.

        Raises:
            ValueError: The audio has another number of dimensions.
        """
        ...


def in_words(kind: str, feature: Any) -> str:
    """Canonical words of a feature.

    Args:
        kind: Its name in the catalogue.
        feature: A dataclass of numbers that all have defaults.
    """
    values = [(each.name, getattr(feature, each.name), each.default) for each in fields(feature)]
    return ":".join([kind, *(f"{name}={spell(value)}" for name, value, default in values if value != default)])


def as_clip(audio: NDArray[np.floating]) -> NDArray[np.float32]:
    """A clip in single precision.

    Raises:
        ValueError: It is not of shape ``(channels, samples)``.
    """
    if audio.ndim != 2:
        raise ValueError(f"a clip is an array (channels, samples), not one of shape {audio.shape}")
    return np.asarray(audio, dtype=np.float32)
