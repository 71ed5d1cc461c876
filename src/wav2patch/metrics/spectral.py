"""Spectral distances that keep the level of the sounds, for use beside the level-normalised ones.

Conventions:
    Sounds are ``(channels, samples)`` and are aligned by `wav2patch.metrics.pairs.aligned`. Frame lengths
    are in samples whatever the sample rate, as in their sources. Windows are periodic Hann, frames are
    centred with zero padding. Means and norms run over all channels.

Metrics:
    * `stft_convergence`: spectral convergence at three resolutions.
    * `stft_log_magnitude`: mean absolute difference of log magnitudes at three resolutions.
    * `lsd`: log-spectral distance in dB.
    * `mfcc_distance`: Euclidean distance of 13 MFCCs, frame by frame.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from wav2patch.metrics.pairs import aligned
from wav2patch.metrics.spectrograms import mfcc, stft_magnitude

Sound = NDArray[np.floating]

STFT_RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))  # FFT, hop, window
SMALLEST_MAGNITUDE = 1e-4
LSD_FRAME, LSD_HOP = 2048, 512
LSD_RANGE_DB = 80.0
SILENT_MAGNITUDE = 1e-5
MFCC_COUNT, MFCC_FRAME, MFCC_HOP = 13, 2048, 512


def stft_convergence(target: Sound, prediction: Sound, sample_rate: float) -> float:
    """Multi-resolution spectral convergence (Yamamoto et al., 2020, eq. 4 and 6).

    Frobenius norm of the difference of the magnitudes, relative to the norm of the target's, averaged over
    the FFT sizes 1024, 2048 and 512 with hops 120, 240 and 50 and windows 600, 1200 and 240. Magnitudes are
    at least 1e-4, as in auraloss, so that a silent target gives a large but finite value.

    Args:
        target: ``(channels, samples)``.
        prediction: ``(channels, samples)``.
        sample_rate: Samples per second; only checked.

    Returns:
        Ratio, at least 0; 1 for a silent prediction of a loud target.

    Raises:
        ValueError: If the sounds cannot be compared (see `aligned`).
    """
    pairs = _magnitudes(target, prediction, sample_rate)
    ratios = [np.linalg.norm(first - second) / np.linalg.norm(first) for first, second in pairs]
    return float(np.mean(ratios))


def stft_log_magnitude(target: Sound, prediction: Sound, sample_rate: float) -> float:
    """Multi-resolution log magnitude distance (Yamamoto et al., 2020, eq. 5 and 6).

    Mean absolute difference of the natural logarithms of the magnitudes, floored and averaged as in
    `stft_convergence`.

    Args:
        target: ``(channels, samples)``.
        prediction: ``(channels, samples)``.
        sample_rate: Samples per second; only checked.

    Returns:
        Distance in nepers (1 Np is 8.7 dB), at least 0.

    Raises:
        ValueError: If the sounds cannot be compared (see `aligned`).
    """
    pairs = _magnitudes(target, prediction, sample_rate)
    return float(np.mean([np.mean(np.abs(np.log(first / second))) for first, second in pairs]))


def _magnitudes(target: Sound, prediction: Sound, sample_rate: float) -> Iterator[tuple[Sound, Sound]]:
    sounds = aligned(target, prediction, sample_rate)
    for n_fft, hop, window in STFT_RESOLUTIONS:
        magnitudes = [stft_magnitude(sound, n_fft, hop, win_length=window) for sound in sounds]
        first, second = (np.maximum(each, SMALLEST_MAGNITUDE) for each in magnitudes)
        yield first, second


def lsd(target: Sound, prediction: Sound, sample_rate: float) -> float:
    """Log-spectral distance (Gray and Markel, 1976).

    Frames of 2048 samples, hop 512. For each frame the square root of the mean over bins of the squared
    difference in dB, then the mean over frames and channels. Both spectra are floored 80 dB below the
    target's largest magnitude; a target that is silent (no magnitude above 1e-5) leaves that to the
    prediction.

    Args:
        target: ``(channels, samples)``.
        prediction: ``(channels, samples)``.
        sample_rate: Samples per second; only checked.

    Returns:
        Distance in dB, at least 0. Not symmetric, because the floor is the target's.

    Raises:
        ValueError: If the sounds cannot be compared (see `aligned`).
    """
    first, second = (stft_magnitude(sound, LSD_FRAME, LSD_HOP) for sound in aligned(target, prediction, sample_rate))
    loudest = first.max() if first.max() > SILENT_MAGNITUDE else second.max()
    floor = max(loudest, SILENT_MAGNITUDE) * 10.0 ** (-LSD_RANGE_DB / 20.0)
    difference = 20.0 * np.log10(np.maximum(first, floor) / np.maximum(second, floor))
    return float(np.mean(np.sqrt(np.mean(np.square(difference), axis=-1))))


def mfcc_distance(target: Sound, prediction: Sound, sample_rate: float) -> float:
    """MFCC distance, frame by frame (MFCCD).

    Mean over frames and channels of the Euclidean distance between 13 MFCCs (c0 to c12, 2048-sample frames,
    hop 512, 128 mels), without warping. It has the form of Kubichek's mel-cepstral distance (1993) without
    the constant, on as many coefficients as SpiegeLib (Shier et al., 2020) takes. Other work gives the name
    MFCCD to 40 coefficients or to an L1 distance: those values are not comparable.

    Args:
        target: ``(channels, samples)``.
        prediction: ``(channels, samples)``.
        sample_rate: Samples per second.

    Returns:
        Distance, at least 0. c0 is kept, so a difference in level counts.

    Raises:
        ValueError: If the sounds cannot be compared (see `aligned`).
    """
    first, second = (
        mfcc(sound, sample_rate, MFCC_COUNT, MFCC_FRAME, MFCC_HOP) for sound in aligned(target, prediction, sample_rate)
    )
    return float(np.mean(np.linalg.norm(first - second, axis=-1)))
