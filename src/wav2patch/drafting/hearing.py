"""What is kept of a render to compare it with others: small enough to travel between processes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from wav2patch.audio.channels import to_mono
from wav2patch.audio.pitch import cents, find_pitch
from wav2patch.metrics.loudness import integrated_loudness
from wav2patch.metrics.objective import Objective
from wav2patch.synths.base import Audio

FLOOR_DB = 60.0
_PROFILE_FLOOR_DB = 45.0
_PARTS = 12
SHORT = 0.6
"""Seconds at the beginning that decide whether a render is silent; the contract of synths asks the same."""


@dataclass(frozen=True, eq=False)
class Heard:
    """One render.

    Attributes:
        digest: Of every sample; equal for equal audio.
        level: Root mean square of the first `SHORT` seconds, in decibels of full scale.
        loudness: Integrated, in LUFS.
        peak: Largest absolute sample.
        powers: Band powers for each window ``(channels, frames, bands)``.
    """

    digest: bytes
    level: float
    loudness: float
    peak: float
    powers: tuple[NDArray[np.float32], ...]


@dataclass(frozen=True)
class Ear:
    """Turns audio ``(channels, samples)`` into what is kept of it; travels to worker processes."""

    sample_rate: int

    def __call__(self, audio: Audio) -> Heard:
        """Listen to a render."""
        early = np.square(audio[:, : round(SHORT * self.sample_rate)], dtype=np.float64).mean()
        return Heard(
            hashlib.blake2b(np.ascontiguousarray(audio).tobytes(), digest_size=16).digest(),
            10 * float(np.log10(early + 1e-20)),
            integrated_loudness(audio, self.sample_rate),
            float(np.abs(audio).max()),
            _features(self.sample_rate).features(audio).powers,
        )


@dataclass(frozen=True)
class Tuner:
    """Audio to its pitch in cents off the key that was played, None without a pitch; travels to worker processes."""

    sample_rate: int
    key: float

    def __call__(self, audio: Audio) -> float | None:
        """Listen to a render."""
        frequency = find_pitch(to_mono(audio), self.sample_rate).frequency
        return None if frequency is None else cents(frequency, self.key)


def apart(one: Heard, other: Heard) -> float:
    """How far two renders are apart, in decibels: the objective's spectral part, the same in both directions.

    The louder of the two sets the floor below which nothing counts; of several channels the worse one counts.
    """
    if one.digest == other.digest:
        return 0.0
    spectra = [_difference(p, q) for p, q in zip(one.powers, other.powers, strict=True)]
    return float(np.mean(spectra, axis=0).max())


def spread(renders: Sequence[Heard]) -> float:
    """The largest distance among renders of one patch: its noise floor as far as these tell."""
    return max((apart(a, b) for a, b in combinations(renders, 2)), default=0.0)


def stands_out(renders: Sequence[Heard], others: Sequence[Heard]) -> float:
    """How clearly renders differ from several of another patch, in decibels; below 0 if they do not.

    Where phases are chance, partials that meet make the whole differ from render to render, and a change in one band
    drowns in that. So each band is looked at by itself, over all the sound, and each twelfth of the sound over all
    bands: in one of them all others have to lie on the same side of the known ones, and further off than both sides
    are wide together (twice the known ones' width for a single render, whose own is not known).
    """
    top = max(float(power.mean(axis=-2).max()) for heard in (*renders, *others) for power in heard.powers)
    known = np.stack([_profile(heard, top) for heard in renders])
    found = np.stack([_profile(heard, top) for heard in others])
    gap = np.maximum(found.min(axis=0) - known.max(axis=0), known.min(axis=0) - found.max(axis=0))
    width = np.ptp(known, axis=0)
    return float((gap - width - (np.ptp(found, axis=0) if len(others) > 1 else width)).max())


def _profile(heard: Heard, top: float) -> NDArray[np.float64]:
    """Levels of all bands and of all twelfths of a sound in decibels, with a floor."""
    bands = [power.mean(axis=-2, dtype=np.float64).ravel() for power in heard.powers]
    whole = heard.powers[0].sum(axis=(0, -1), dtype=np.float64)
    parts = np.array([part.mean() for part in np.array_split(whole, _PARTS)])
    return 10 * np.log10(np.concatenate([*bands, parts]) + top * 10 ** (-_PROFILE_FLOOR_DB / 10) + 1e-12)


def _difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    floor = max(one.max(), other.max()) * 10 ** (-FLOOR_DB / 10) + 1e-12
    return np.abs(10 * np.log10((one + floor) / (other + floor))).mean(axis=(-2, -1), dtype=np.float64)


@lru_cache(maxsize=4)
def _features(sample_rate: int) -> Objective:
    # Its target does not matter: only its features of a sound are used.
    return Objective(np.zeros(1, dtype=np.float32), sample_rate)
