"""Loudness as people hear it: ITU-R BS.1770-4."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

BLOCK = 0.4
"""Seconds of a gating block; a shorter sound is followed by silence up to it."""


def integrated_loudness(audio: NDArray[np.floating], sample_rate: int) -> float:
    """Integrated loudness in LUFS (ITU-R BS.1770-4: K-weighting, 400 ms blocks, two gates).

    A sound shorter than 400 ms is measured as if silence followed it, as it does wherever it is played.

    Args:
        audio: Samples of shape (channels, samples) with at most five channels, or (samples,).
        sample_rate: Samples per second.

    Returns:
        LUFS; −∞ for silence and for anything below the gate at −70 LUFS.

    Raises:
        ValueError: More than five channels, for which the standard gives no weights.
    """
    import pyloudnorm  # noqa: PLC0415 - imports scipy.signal, a third of a second

    samples = np.atleast_2d(np.asarray(audio, dtype=np.float64))
    if samples.ndim != 2 or len(samples) > 5:
        raise ValueError(f"loudness is defined for up to five channels, not for shape {np.shape(audio)}")
    missing = math.ceil(BLOCK * sample_rate) - samples.shape[1]
    if missing > 0:
        samples = np.pad(samples, ((0, 0), (0, missing)))
    return float(pyloudnorm.Meter(sample_rate).integrated_loudness(samples.T))
