"""Whether and where a second note begins. Conservative: a sound that pulses is one sound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wav2patch.audio.envelope import HOP, Envelope

_RISE_TIME = round(0.06 / HOP)
_REFRACTORY = round(0.08 / HOP)
_RISE = 8.0
_LONE_RISE = 15.0
_PROMINENT = 30.0
_PAUSE = round(0.25 / HOP)
_PULSE = 0.5
_STEADY = 0.15
_ALIKE = 0.8
_LOOK = 0.15


@dataclass(frozen=True)
class _Rise:
    """A rise of the level: the frame where it starts, its height in dB and how long it was silent before."""

    frame: int
    height: float
    pause: int


def next_note(envelope: Envelope, first: int, audio: NDArray[np.floating], sample_rate: int) -> int | None:
    """Frame at which a second note begins, or None.

    The level has to rise by 8 dB within 60 ms to no less than 30 dB under the first note's peak, and then
    (a) there was a pause of 0.25 s, or (b) the spectrum has changed, or (c) the rise is more than 15 dB
    and is not one of a regular pulse (tremolo, a gate, an LFO, beating).

    Args:
        envelope: The recording's envelope.
        first: Frame at which the first note begins.
        audio: Mono samples (samples,).
        sample_rate: Samples per second.
    """
    rises = _rises(envelope, first)
    pulsing = _is_pulse([first, *(rise.frame for rise in rises)])
    before = _spectrum(audio, first, sample_rate)
    for rise in rises:
        if rise.pause >= _PAUSE:
            return rise.frame
        if _likeness(before, _spectrum(audio, rise.frame, sample_rate)) < _ALIKE:
            return rise.frame
        if rise.height > _LONE_RISE and not pulsing:
            return rise.frame
    return None


def _rises(envelope: Envelope, first: int) -> list[_Rise]:
    """Rises of the level after the first note's attack."""
    level = np.maximum(envelope.level, envelope.threshold(60.0))
    silence = envelope.threshold(50.0)
    rises: list[_Rise] = []
    frame = _crest(level, first)
    lowest = frame
    while frame < len(level) - 1:
        frame += 1
        if level[frame] < level[lowest]:
            lowest = frame
            continue
        start = max(lowest, frame - _RISE_TIME)
        height = level[frame] - level[start]
        if height < _RISE or level[frame] < level[first:start].max() - _PROMINENT:
            continue
        foot = _foot(level, frame)
        crest = _crest(level, frame)
        quiet = np.flatnonzero(level[first:foot] > silence)
        pause = foot - (first + int(quiet[-1])) if len(quiet) else 0
        rises.append(_Rise(foot, float(level[crest] - level[foot]), pause))
        frame = lowest = crest
    return rises


def _crest(level: NDArray[np.float64], frame: int) -> int:
    """The top of the rise that `frame` is part of."""
    return frame + int(np.argmax(level[frame : frame + _REFRACTORY]))


def _foot(level: NDArray[np.float64], frame: int) -> int:
    """The bottom of the rise that `frame` is part of."""
    while frame > 0 and level[frame - 1] < level[frame]:
        frame -= 1
    return frame


def _is_pulse(frames: list[int]) -> bool:
    """Whether at least three rises follow each other at a regular distance of no more than half a second."""
    if len(frames) < 4:
        return False
    gaps = np.diff(frames) * HOP
    return bool(
        np.median(gaps) <= _PULSE and np.median(np.abs(gaps - np.median(gaps))) <= _STEADY * np.median(gaps)
    )


def _spectrum(audio: NDArray[np.floating], frame: int, sample_rate: int) -> NDArray[np.float64]:
    """Magnitudes up to 6 kHz of the 150 ms that follow an attack, blurred by a bin, of unit length."""
    start = round((frame * HOP + 0.02) * sample_rate)
    stretch = audio[start : start + round(_LOOK * sample_rate)]
    window = np.zeros(round(_LOOK * sample_rate))
    window[: len(stretch)] = stretch * np.hanning(len(stretch))
    magnitude = np.abs(np.fft.rfft(window))[: round(6000.0 * _LOOK)]
    blurred = np.convolve(np.sqrt(magnitude), [0.5, 1.0, 0.5], mode="same")
    return blurred / (np.linalg.norm(blurred) + 1e-12)


def _likeness(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(one @ other)
