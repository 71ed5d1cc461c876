"""The pitch network SwiftF0, heard at three speeds so that it covers 23 Hz to 4.2 kHz.

The network knows 46.9–2094 Hz. A bass played twice as fast and a piccolo played at half the speed lie well
inside of that.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wav2patch.resampling import resample

if TYPE_CHECKING:
    from swift_f0 import SwiftF0

RATE = 16_000
"""Samples per second that the network takes."""

SPEEDS = (2.0, 1.0, 0.5)

_NEAR = 50.0
_AUDIBLE = 35.0


@dataclass(frozen=True)
class Track:
    """What the network heard at one speed, for frames that are not silent.

    Attributes:
        frequency: Hz, shape (frames,).
        confidence: 0–1, shape (frames,).
    """

    frequency: NDArray[np.float64]
    confidence: NDArray[np.float64]


@functools.cache
def detector() -> SwiftF0:
    """The network, built once on one thread that sleeps between calls."""
    from swift_f0 import SwiftF0  # noqa: PLC0415 - brings ONNX Runtime, a tenth of a second

    return SwiftF0(threads=1, spin=False)


def tracks(audio: NDArray[np.float32], sample_rate: int) -> list[Track]:
    """What the network hears in a sound (samples,) at each of `SPEEDS`."""
    return [_track(audio, sample_rate, speed) for speed in SPEEDS]


def support(heard: list[Track], frequency: float) -> float:
    """The network's mean confidence that the pitch is within 50 cents of `frequency`, at its best speed."""
    return max(
        float(np.mean(track.confidence * (np.abs(1200.0 * np.log2(track.frequency / frequency)) < _NEAR)))
        for track in heard
    )


def proposals(heard: list[Track]) -> list[float]:
    """Frequencies in Hz that have a tenth or more of the confidence at one speed."""
    found = []
    for track in heard:
        sure = np.where(track.confidence > 0.3, track.confidence, 0.0)
        steps = np.rint(24.0 * np.log2(track.frequency))
        for step in np.unique(steps[sure > 0.0]):
            here = np.where(steps == step, sure, 0.0)
            if here.sum() > 0.1 * sure.sum():
                found.append(float(np.exp2(np.average(np.log2(track.frequency), weights=here))))
    return found


def _track(audio: NDArray[np.float32], sample_rate: int, speed: float) -> Track:
    played = resample(audio, sample_rate, round(RATE / speed))
    # Frames that peak under 1e-3 count as silence for the network, so that quiet notes are amplified.
    played = played * (0.5 / max(float(np.abs(played).max(initial=0.0)), 1e-9))
    result = detector().detect(played.astype(np.float32), RATE)
    heard = result.loudness_db > result.loudness_db.max() - _AUDIBLE
    return Track(result.pitch_hz[heard] / speed, result.confidence[heard])
