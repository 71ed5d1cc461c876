"""Channels and offsets: what has to be right before a recording can be listened to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CANCELLED = 0.1
_BLOCKS = 8
_OFFSET = 0.01


def to_mono(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """One channel (samples,) out of (channels, samples): their mean, or the loudest where they cancel out.

    Channels cancel where one is the other upside down; the mean has then less than a tenth of the peak.
    """
    if len(audio) == 1:
        return audio[0]
    mean = audio.mean(axis=0, dtype=np.float32)
    peaks = np.abs(audio).max(axis=1, initial=0.0)
    if np.abs(mean).max(initial=0.0) < _CANCELLED * peaks.max():
        return audio[int(np.argmax(peaks))]
    return mean


def offset(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Constant offset of each channel, shape (channels, 1); 0 where it is none that a converter would leave.

    It has to exceed a hundredth of the peak and to stay put over eight parts of the recording: the mean of a
    drum hit, or of a wave whose halves differ, dies away with the sound.
    """
    parts = [part for part in np.array_split(audio, _BLOCKS, axis=1) if part.shape[1]]
    means = np.stack([part.mean(axis=1, dtype=np.float64) for part in parts])
    middle = np.median(means, axis=0)
    spread = np.ptp(means, axis=0)
    lasting = spread <= 0.25 * np.abs(middle)
    large = np.abs(middle) > _OFFSET * np.abs(audio).max(axis=1, initial=0.0)
    return np.where(lasting & large, middle, 0.0).astype(np.float32)[:, None]
