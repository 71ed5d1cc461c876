"""Two sounds made comparable: what every audio metric does first.

Conventions:
    A sound is a floating-point array ``(channels, samples)``. The shorter of two sounds is padded with
    zeros at its end, and a mono sound beside a stereo one plays on both channels.
"""

import numpy as np
from numpy.typing import NDArray

LOWEST_SAMPLE_RATE = 4000


def aligned(
    target: NDArray[np.floating], prediction: NDArray[np.floating], sample_rate: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both sounds with the same channels and the same length.

    Args:
        target: ``(channels, samples)``.
        prediction: ``(channels, samples)``.
        sample_rate: Samples per second, at least 4000 (the loudness filter has a corner at 1.7 kHz).

    Returns:
        Target and prediction as float64 ``(channels, samples)``.

    Raises:
        ValueError: If a sound is not a finite, non-empty, two-dimensional floating-point array, if their
            channels cannot be matched, or if the sample rate makes no sense.
    """
    if not LOWEST_SAMPLE_RATE <= sample_rate < np.inf:
        raise ValueError(f"the sample rate must be at least {LOWEST_SAMPLE_RATE} Hz, not {sample_rate}")
    checked = [_checked(target, "target"), _checked(prediction, "prediction")]
    channels = max(len(sound) for sound in checked)
    if any(len(sound) not in (1, channels) for sound in checked):
        counts = " and ".join(str(len(sound)) for sound in checked)
        raise ValueError(f"only mono can be matched to another number of channels, not {counts}")
    length = max(sound.shape[1] for sound in checked)
    return _extended(checked[0], channels, length), _extended(checked[1], channels, length)


def _checked(sound: NDArray[np.floating], name: str) -> NDArray[np.float64]:
    if sound.ndim != 2 or sound.size == 0:
        raise ValueError(f"{name} must have the shape (channels, samples) and not be empty, not {sound.shape}")
    if not np.issubdtype(sound.dtype, np.floating):
        raise ValueError(f"{name} must be floating-point, not {sound.dtype}")
    if not np.isfinite(sound).all():
        raise ValueError(f"{name} contains NaN or infinite samples")
    return sound.astype(np.float64, copy=False)


def _extended(sound: NDArray[np.float64], channels: int, length: int) -> NDArray[np.float64]:
    padded = np.pad(sound, [(0, 0), (0, length - sound.shape[1])])
    return np.broadcast_to(padded, (channels, length))
