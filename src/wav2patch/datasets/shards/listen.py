"""What a worker does with a render of a data set: it weighs, measures and packs it, so that little has to travel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wav2patch.datasets.shards.layout import AUDIO, FEATURES
from wav2patch.datasets.shards.writer import pack
from wav2patch.features.base import Feature
from wav2patch.metrics.loudness import integrated_loudness
from wav2patch.synths.base import Audio


@dataclass(frozen=True)
class Heard:
    """A render that is kept.

    Attributes:
        loudness: In LUFS.
        clips: Audio and features by the names of their fields, as arrays or packed.
    """

    loudness: float
    clips: Mapping[str, Any]


@dataclass(frozen=True)
class Rejected:
    """A render that is not kept, and why."""

    reason: str


@dataclass(frozen=True)
class Listen:
    """What becomes of each render; pickled into the workers.

    Everything is made from the clip as it is stored, in half precision, so that features can be made again from a
    set and come out the same.

    Attributes:
        sample_rate: Of the renders, in Hz.
        gate: Least loudness in LUFS, None to keep all.
        features: What is made of a clip.
        audio: Whether the clip itself is kept.
        packed: Whether clips become bytes for a shard rather than arrays.
    """

    sample_rate: int
    gate: float | None
    features: tuple[Feature, ...]
    audio: bool = True
    packed: bool = True

    def __call__(self, audio: Audio) -> Heard | Rejected:
        """Weigh, measure and pack a render ``(channels, samples)``."""
        half = _half(audio)
        if not np.isfinite(half).all():
            return Rejected("too loud")
        stored = half.astype(np.float32)
        loudness = float(np.float32(integrated_loudness(stored, self.sample_rate)))
        # Not a number counts as silent too.
        if self.gate is not None and not loudness >= self.gate:
            return Rejected("too quiet")
        clips = {AUDIO: half} if self.audio else {}
        clips |= {FEATURES + one.name: _half(one(stored, self.sample_rate)) for one in self.features}
        if not all(np.isfinite(clip).all() for clip in clips.values()):
            return Rejected("a feature beyond half precision")
        return Heard(loudness, pack(clips) if self.packed else clips)


def _half(values: NDArray[np.float32]) -> NDArray[np.float16]:
    with np.errstate(over="ignore"):
        return values.astype(np.float16)
