"""Finding the note in a recording: where it begins, where the key goes up, where it has died away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wav2patch.audio.envelope import HOP, SILENCE, WINDOW, Envelope, measure
from wav2patch.audio.knee import find_knee
from wav2patch.audio.onsets import next_note

DEPTH = 60.0
"""dB under the peak at which a sound is taken to begin and to have died away."""

_SNAP = 0.01
_REACH = 0.05


@dataclass(frozen=True)
class NoteSpan:
    """One note of a recording, in seconds from the recording's start.

    Attributes:
        onset: Where the sound begins; 0 exactly where the recording begins with sound.
        release: Where the key goes up; `end` where the sound dies away by itself.
        end: Where the sound has died away, the next note begins or the recording stops.
        more_notes: Whether further notes follow.
    """

    onset: float
    release: float
    end: float
    more_notes: bool


def find_note(audio: NDArray[np.floating], sample_rate: int) -> NoteSpan:
    """Find the first note of a recording.

    Args:
        audio: Samples of shape (samples,), with some sound in them.
        sample_rate: Samples per second.

    Returns:
        Where the note lies. Silence gives the whole recording.

    Raises:
        ValueError: `audio` is empty or not one-dimensional.
    """
    if audio.ndim != 1 or not len(audio):
        raise ValueError(f"a recording has shape (samples,) with at least one sample, not {audio.shape}")
    length = len(audio) / sample_rate
    envelope = measure(audio, sample_rate)
    if envelope.peak <= SILENCE:
        return NoteSpan(0.0, length, length, False)
    first = _first_frame(envelope)
    following = next_note(envelope, first, audio, sample_rate)
    last = _last_frame(envelope, first, len(envelope.level) if following is None else following)
    onset = _onset(envelope, audio, sample_rate, first)
    end = length if following is None else following * HOP
    end = max(min(end, _end(envelope, audio, sample_rate, last)), onset)
    if following is None and length - end < _SNAP:
        end = length
    knee = find_knee(envelope.level[first:last], HOP)
    release = end if knee is None else min(max(first * HOP + knee, onset), end)
    return NoteSpan(onset, release, end, following is not None)


def _first_frame(envelope: Envelope) -> int:
    """The first frame of the sound: above the threshold for three frames, which a crackle is not."""
    heard = envelope.level > envelope.threshold(DEPTH)
    lasting = heard[:-2] & heard[1:-1] & heard[2:]
    found = np.flatnonzero(lasting if lasting.any() else heard)
    return _foot(envelope, int(found[0]))


def _foot(envelope: Envelope, frame: int) -> int:
    """Go back while the sound rises out of silence: the slow attack of a pad starts far below −60 dB."""
    bottom = max(envelope.peak - 100.0, envelope.floor + 1.5)
    while frame > 0 and bottom < envelope.level[frame - 1] < envelope.level[frame]:
        frame -= 1
    return frame


def _onset(envelope: Envelope, audio: NDArray[np.floating], sample_rate: int, first: int) -> float:
    """Time of the first sample of the sound around frame `first`."""
    start = max(0, round((first * HOP - WINDOW) * sample_rate))
    stretch = np.abs(audio[start : round((first * HOP + _REACH) * sample_rate)])
    reached = np.flatnonzero(stretch > _least_amplitude(envelope))
    onset = (start + (int(reached[0]) if len(reached) else 0)) / sample_rate
    return 0.0 if onset < _SNAP else onset


def _least_amplitude(envelope: Envelope) -> float:
    """Amplitude of five deviations of the noise, or 80 dB under the peak where there is none."""
    return 10.0 ** (max(envelope.peak - 80.0, envelope.floor + 14.0) / 20.0)


def _last_frame(envelope: Envelope, first: int, stop: int) -> int:
    """One past the last frame of the sound before frame `stop`."""
    heard = np.flatnonzero(envelope.level[first:stop] > envelope.threshold(DEPTH))
    return first + int(heard[-1]) + 1 if len(heard) else stop


def _end(envelope: Envelope, audio: NDArray[np.floating], sample_rate: int, last: int) -> float:
    """Time after the last sample of the sound around frame `last`; its window hears it half a length behind."""
    start = max(0, round((last * HOP - _REACH) * sample_rate))
    stretch = np.abs(audio[start : round((last * HOP + 0.5 * WINDOW) * sample_rate)])
    reached = np.flatnonzero(stretch > _least_amplitude(envelope))
    return (start + int(reached[-1]) + 1) / sample_rate if len(reached) else last * HOP
