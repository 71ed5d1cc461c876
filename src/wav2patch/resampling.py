"""Sample-rate conversion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def resample(audio: NDArray[np.floating], from_rate: int, to_rate: int) -> NDArray[np.float32]:
    """Change the sample rate with soxr's very-high-quality linear-phase filter, without delay.

    Args:
        audio: Samples of shape (..., samples), at most two dimensions.
        from_rate: Rate of `audio` in Hz.
        to_rate: Rate of the result in Hz.

    Returns:
        float32 of shape (..., round(samples · to_rate / from_rate)); the same samples where the rates agree.
    """
    import soxr  # noqa: PLC0415 - a compiled library that a 44.1 kHz file does not need

    samples = np.asarray(audio, dtype=np.float32)
    if from_rate == to_rate:
        return samples
    return np.ascontiguousarray(soxr.resample(samples.T, from_rate, to_rate, quality="VHQ").T)
