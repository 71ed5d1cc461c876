"""A spectrogram on the scale of musical pitch, with the level kept.

Each band is cut out of the Fourier transform of the whole clip by a raised cosine around its centre and turned back
into time by itself, at a rate that suits its width (a constant-Q transform by nonstationary Gabor frames: Velasco,
Holighaus, Dörfler and Grill, DAFx 2011). Its power is then averaged over each hop, so nothing falls between frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from wav2patch.features.base import as_clip, in_words
from wav2patch.metrics.spectrograms import power_to_db

_LOWEST = 27.5
# Seconds of silence after the clip: bands ring before and after a sound, and the transform is circular.
_RING = 1.0


class BandGroup(NamedTuple):
    """Bands that are turned back into time at the same rate.

    Attributes:
        samples: Of the transform back: frames times a power of two.
        bands: Which bands, ``(bands,)``.
        bins: Bins of the clip's transform, ``(bands, width)``.
        weights: Of those bins, float32 ``(bands, width)``.
    """

    samples: int
    bands: NDArray[np.intp]
    bins: NDArray[np.intp]
    weights: NDArray[np.float32]


class Plan(NamedTuple):
    """How the bands of clips of one length are cut out.

    Attributes:
        samples: Length of the clip's transform: a whole number of hops.
        frames: Hops in it, more than those that the clip fills.
        groups: Of bands.
    """

    samples: int
    frames: int
    groups: tuple[BandGroup, ...]


@dataclass(frozen=True)
class ConstantQ:
    """Levels of bands that are equally spaced in pitch, in decibels; 0 dB is a full-scale sine at a band's centre.

    A sound that is played a semitone higher is the same picture two bands further up, all its partials alike.

    Attributes:
        per_octave: Bands in an octave, 1 to 120, from 27.5 Hz (the lowest A of a piano).
        octaves: How many, 1 to 12, as far as half the sample rate allows.
        hop: Seconds from one frame to the next, 0.001 to 10; a fraction of a sample is dropped.
        narrowest: Hz from the centre of a band to its ends, at least; low bands, whose neighbours are nearer than
            that, overlap more and ring less long.
        floor: Lowest value in decibels.

    Raises:
        ValueError: A number is out of range.
    """

    per_octave: int = 24
    octaves: int = 9
    hop: float = 0.01
    narrowest: float = 6.0
    floor: float = -100.0

    def __post_init__(self) -> None:
        if not (1 <= self.per_octave <= 120 and 1 <= self.octaves <= 12 and 0.001 <= self.hop <= 10):
            raise ValueError("per_octave is 1 to 120, octaves is 1 to 12, hop is 0.001 to 10 seconds")
        if not 0 <= self.narrowest <= _LOWEST / 2 or not -200 <= self.floor < 0:
            raise ValueError("narrowest is 0 to 13.75 Hz, and floor a number of decibels from -200 to 0")

    @property
    def name(self) -> str:
        """Canonical words."""
        return in_words("constant_q", self)

    def centres(self, sample_rate: int) -> NDArray[np.float64]:
        """Frequencies of the bands' centres in Hz, ``(bands,)``; their upper ends stay below half the rate."""
        centres = _LOWEST * 2.0 ** (np.arange(self.per_octave * self.octaves) / self.per_octave)
        return centres[centres + self._half_width(centres) < sample_rate / 2]

    def shape(self, channels: int, samples: int, sample_rate: int) -> tuple[int, int, int]:
        """``(channels, bands, frames)`` of a clip ``(channels, samples)``."""
        return channels, len(self.centres(sample_rate)), 1 + samples // self.step(sample_rate)

    def step(self, sample_rate: int) -> int:
        """Samples of a hop."""
        return int(self.hop * sample_rate)

    def plan(self, samples: int, sample_rate: int) -> Plan:
        """How clips of so many samples are cut into bands."""
        return _plan(self, samples, sample_rate)

    def responses(self, frequencies: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
        """Power ``(bands, n)`` of a full-scale sine at each of n frequencies in Hz, at most 1."""
        centres = self.centres(sample_rate)[:, None]
        return _raised_cosine((frequencies - centres) / self._half_width(centres)) ** 2

    def _half_width(self, centres: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.maximum(centres * (2.0 ** (1 / self.per_octave) - 1), self.narrowest)

    def __call__(self, audio: NDArray[np.floating], sample_rate: int) -> NDArray[np.float32]:
        """Decibels ``(channels, bands, frames)``, at least `floor`, of a clip ``(channels, samples)``."""
        clip = as_clip(audio)
        channels, samples = clip.shape
        plan = self.plan(samples, sample_rate)
        powers = np.empty(self.shape(channels, samples, sample_rate), dtype=np.float32)
        for channel, sound in enumerate(clip):
            spectrum = _spectrum(sound, plan.samples)
            for group in plan.groups:
                powers[channel, group.bands] = _frames(spectrum, group, plan.frames)[:, : powers.shape[-1]]
        return power_to_db(powers, top_db=None, amin=10.0 ** (self.floor / 10.0)).astype(np.float32, copy=False)


def _spectrum(sound: NDArray[np.float32], samples: int) -> NDArray[np.complex64]:
    """Transform of which a full-scale sine has the magnitude 1, where the clip is that long."""
    if not len(sound):
        return np.zeros(samples // 2 + 1, dtype=np.complex64)
    spectrum: NDArray[np.complex64] = np.asarray(fft.rfft(sound, samples))
    spectrum *= np.float32(2.0 / samples)
    return spectrum


def _frames(spectrum: NDArray[np.complex64], group: BandGroup, frames: int) -> NDArray[np.float32]:
    """Mean powers ``(bands, frames)`` of the hops around each frame."""
    wave: NDArray[np.complex64] = np.asarray(
        fft.ifft(spectrum[group.bins] * group.weights, group.samples, axis=-1, norm="forward")
    )
    power = wave.real**2 + wave.imag**2
    finer = group.samples // frames
    return np.roll(power, finer // 2, axis=-1).reshape(len(power), frames, finer).mean(axis=-1)


def _raised_cosine(offsets: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 at a band's centre, 0 at its ends, which are at −1 and 1, and beyond them."""
    return np.cos(np.clip(offsets, -1, 1) * np.pi / 2) ** 2


@lru_cache(maxsize=16)
def _plan(feature: ConstantQ, samples: int, sample_rate: int) -> Plan:
    hop = feature.step(sample_rate)
    frames = cast(int, fft.next_fast_len(1 + samples // hop + math.ceil(_RING * sample_rate / hop)))
    spacing = sample_rate / (frames * hop)
    centres = feature.centres(sample_rate)
    half = feature._half_width(centres) / spacing
    first = np.ceil(centres / spacing - half).astype(np.intp)
    width = np.floor(centres / spacing + half).astype(np.intp) - first + 1
    lengths = frames * 2 ** np.maximum(0, np.ceil(np.log2(width / frames))).astype(np.intp)
    groups = []
    for length in np.unique(lengths):
        bands = np.flatnonzero(lengths == length)
        bins = first[bands, None] + np.arange(width[bands].max())
        offsets = (bins - centres[bands, None] / spacing) / half[bands, None]
        weights = _raised_cosine(offsets)
        last = frames * hop // 2
        groups.append(BandGroup(int(length), bands, np.minimum(bins, last), weights.astype(np.float32)))
    return Plan(frames * hop, frames, tuple(groups))
