"""Whether and where a second note begins. Conservative: a sound that pulses is one sound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wav2patch.audio.envelope import HOP, Envelope

_RISE_TIME = round(0.06 / HOP)
_CREST = round(0.08 / HOP)
_RISE = 8.0
_STRONG_RISE = 15.0
_PROMINENT = 30.0
_PAUSE = round(0.25 / HOP)
_GAP = round(0.03 / HOP)
_ATTACK = round(0.2 / HOP)
_BEFORE = (round(0.3 / HOP), round(0.06 / HOP))
_PULSE = 0.5
_REGULAR = 0.15
_ALIKE = 0.8
_UNLIKE = 0.5
_LOOK = 0.15


@dataclass(frozen=True)
class _Rise:
    """A rise of the level.

    Attributes:
        frame: Where it starts.
        height: dB from its foot to its crest.
        gain: dB by which the crest exceeds what was heard shortly before the dip.
        pause: Frames of silence before it.
    """

    frame: int
    height: float
    gain: float
    pause: int


def next_note(envelope: Envelope, first: int, audio: NDArray[np.floating], sample_rate: int) -> int | None:
    """Frame at which a second note begins, or None.

    The level has to rise by 8 dB within 60 ms, to no less than 30 dB under the peak before. It is a new note

    - after a pause of 0.25 s;
    - where the spectrum has changed, unless the first note is still in its first 0.2 s (a flute's chiff);
    - where a rise of 15 dB follows a gap or a decay. A dip that it comes out of as loud as it went in is
      beating, and what comes at regular distances is tremolo or a gate: there, only a wholly different
      spectrum counts.

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
        if rise.frame - first < _ATTACK and rise.pause < _GAP:
            continue
        likeness = float(before @ _spectrum(audio, rise.frame, sample_rate))
        if likeness < (_UNLIKE if pulsing else _ALIKE):
            return rise.frame
        again = rise.height > _STRONG_RISE and (rise.pause >= _GAP or rise.gain > _RISE)
        if again and not pulsing:
            return rise.frame
    return None


def _rises(envelope: Envelope, first: int) -> list[_Rise]:
    """Rises of the level after the first note's attack."""
    level = np.maximum(envelope.level, envelope.threshold(60.0))
    rises: list[_Rise] = []
    frame = lowest = _crest(level, first)
    while frame < len(level) - 1:
        frame += 1
        if level[frame] < level[lowest]:
            lowest = frame
            continue
        start = max(lowest, frame - _RISE_TIME)
        loud = level[frame] >= level[first:frame].max() - _PROMINENT
        if level[frame] - level[start] >= _RISE and loud:
            foot, frame = _foot(level, frame), _crest(level, frame)
            rises.append(_rise(level, first, foot, frame, envelope.threshold(50.0)))
            lowest = frame
    return rises


def _rise(level: NDArray[np.float64], first: int, foot: int, crest: int, silence: float) -> _Rise:
    heard = np.flatnonzero(level[first:foot] > silence)
    earlier = level[max(first, foot - _BEFORE[0]) : max(first + 1, foot - _BEFORE[1])]
    return _Rise(
        frame=foot,
        height=float(level[crest] - level[foot]),
        gain=float(level[crest] - earlier.max()),
        pause=foot - first - int(heard[-1]) - 1 if len(heard) else 0,
    )


def _crest(level: NDArray[np.float64], frame: int) -> int:
    """The top of the rise that `frame` is part of."""
    return frame + int(np.argmax(level[frame : frame + _CREST]))


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
    usual = np.median(gaps)
    return bool(usual <= _PULSE and np.median(np.abs(gaps - usual)) <= _REGULAR * usual)


def _spectrum(audio: NDArray[np.floating], frame: int, sample_rate: int) -> NDArray[np.float64]:
    """Magnitudes up to 6 kHz of the 150 ms that follow an attack, blurred by a bin, of unit length."""
    start = round((frame * HOP + 0.02) * sample_rate)
    stretch = audio[start : start + round(_LOOK * sample_rate)]
    window = np.zeros(round(_LOOK * sample_rate))
    window[: len(stretch)] = stretch * np.hanning(len(stretch))
    magnitude = np.abs(np.fft.rfft(window))[: round(6000.0 * _LOOK)]
    blurred = np.convolve(np.sqrt(magnitude), [0.5, 1.0, 0.5], mode="same")
    return blurred / (np.linalg.norm(blurred) + 1e-12)
