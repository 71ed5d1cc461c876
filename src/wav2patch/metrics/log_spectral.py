"""The log-spectral distance that k-osc is measured by (Hayes et al., ISMIR 2025, section 4.1, from its code)."""

import numpy as np
from numpy.typing import NDArray

FLOOR_POWER = 1e-8
"""Least power of a bin, −80 dB."""


def log_spectral_distance(target: NDArray[np.floating], prediction: NDArray[np.floating]) -> NDArray[np.float64]:
    """Root mean square difference of power spectra in dB, one for each pair of signals.

    One Fourier transform of the whole signal without a window, divided by the signal's length; powers under −80 dB
    count as −80 dB. The published figure of a model is the mean over the test set. (`spectral.lsd` is another
    distance, of frames of a sound.)

    Args:
        target: ``(…, samples)``.
        prediction: ``(…, samples)``, of the same shape.

    Returns:
        ``(…)`` in dB, at least 0; 0 for two silent signals.

    Raises:
        ValueError: The shapes differ, or there are no samples.
    """
    if target.shape != prediction.shape or not target.shape or not target.shape[-1]:
        raise ValueError(f"signals of shapes {target.shape} and {prediction.shape} cannot be compared")
    difference = _decibels(target) - _decibels(prediction)
    return np.sqrt(np.mean(np.square(difference), axis=-1))


def _decibels(signals: NDArray[np.floating]) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(signals.astype(np.float64), norm="forward")
    return 10.0 * np.log10(np.maximum(spectrum.real**2 + spectrum.imag**2, FLOOR_POWER))
