"""The four audio metrics of Hayes et al. (ISMIR 2025), as their evaluation script computes them.

"Audio synthesizer inversion in symmetric parameter spaces with approximately equivariant flow matching",
arXiv 2506.07199. The script's definitions are followed where the paper is silent, so that values can stand
beside its tables. Its sounds are 4 s of 44.1 kHz stereo, silent tail included.

Conventions:
    Sounds are ``(channels, samples)`` and are aligned by `wav2patch.metrics.pairs.aligned`. Lengths in
    samples are rounded down: 5 ms at 44.1 kHz are 220 samples. All transforms are librosa's defaults:
    periodic Hann window, frames centred with zero padding, Slaney mels, floor 80 dB below the maximum over
    all channels.

Metrics:
    * `mss`: mean absolute difference of level-normalised log-mel spectrograms at three resolutions, in dB.
    * `wmfcc`: distance of the MFCCs after dynamic time warping.
    * `sot`: optimal transport between the spectra of each frame.
    * `rms`: cosine similarity of the loudness envelopes; 1 is perfect.

All four are symmetric in their two sounds.
"""

import numpy as np
from numpy.typing import NDArray

from wav2patch.metrics.dtw import dtw_distance
from wav2patch.metrics.pairs import aligned
from wav2patch.metrics.spectrograms import frame_rms, mel_spectrogram, mfcc, power_to_db, stft_magnitude

Sound = NDArray[np.floating]

MSS_RESOLUTIONS = ((10, 5, 32), (25, 10, 64), (100, 50, 128))  # window ms, hop ms, mels
MFCC_COUNT = 20
SMALLEST_FRAME_SUM = 1e-6


def mss(target: Sound, prediction: Sound, sample_rate: float) -> float:
    """Multi-scale log-mel spectral distance.

    Windows of 10, 25 and 100 ms with hops of 5, 10 and 50 ms and 32, 64 and 128 mels. Each spectrogram is
    in dB below its own maximum over both channels, down to -80 dB; the mean absolute difference is averaged
    over the three. So it does not see level, down to a point: powers under 1e-10 count as 1e-10, as in
    librosa, so a sound whose peaks are below about -30 dBFS has less than 80 dB of range, and silence is 0 dB
    throughout.

    Args:
        target: ``(channels, samples)``.
        prediction: ``(channels, samples)``.
        sample_rate: Samples per second.

    Returns:
        Distance in dB, from 0 to 80.

    Raises:
        ValueError: If the sounds cannot be compared (see `aligned`).
    """
    sounds = aligned(target, prediction, sample_rate)
    distances = []
    for window_ms, hop_ms, n_mels in MSS_RESOLUTIONS:
        window, hop = int(window_ms * sample_rate / 1000.0), int(hop_ms * sample_rate / 1000.0)
        powers = (mel_spectrogram(sound, sample_rate, window, hop, n_mels) for sound in sounds)
        first, second = (power_to_db(power, ref=np.max) for power in powers)
        distances.append(np.mean(np.abs(first - second)))
    return float(np.mean(distances))


def wmfcc(target: Sound, prediction: Sound, sample_rate: float) -> float:
    """Warped MFCC distance.

    20 MFCCs (50 ms windows, 10 ms hop, 128 mels), the channels stacked to one vector per frame, aligned by
    dynamic time warping (`dtw_distance`). c0 is kept, so a difference in level counts.

    Args:
        target: ``(channels, samples)``.
        prediction: ``(channels, samples)``.
        sample_rate: Samples per second.

    Returns:
        Normalised warping cost, at least 0.

    Raises:
        ValueError: If the sounds cannot be compared (see `aligned`).
    """
    window, hop = int(0.05 * sample_rate), int(0.01 * sample_rate)
    coefficients = (
        mfcc(sound, sample_rate, MFCC_COUNT, window, hop) for sound in aligned(target, prediction, sample_rate)
    )
    first, second = (np.concatenate(list(channels), axis=-1) for channels in coefficients)
    return dtw_distance(first, second)


def sot(target: Sound, prediction: Sound, sample_rate: float) -> float:
    """Spectral optimal transport.

    The channels' mean goes through an STFT (50 ms windows, 20 ms hop), each frame's magnitudes are divided
    by their sum (by 1e-6 if that is more), and the 1-Wasserstein distance between two frames is the sum
    over bins of the absolute difference of their cumulative sums, divided by the number of bins; the mean
    over frames is returned. Frequency runs from 0 to 1 (half the sample rate).

    Args:
        target: ``(channels, samples)``.
        prediction: ``(channels, samples)``.
        sample_rate: Samples per second.

    Returns:
        Distance from 0 to 1. A silent frame beside a sounding one counts as if all its mass were beyond the
        last bin; two silent frames count 0.

    Raises:
        ValueError: If the sounds cannot be compared (see `aligned`).
    """
    window, hop = int(0.05 * sample_rate), int(0.02 * sample_rate)
    first, second = (
        _cumulative(stft_magnitude(sound.mean(axis=0), window, hop))
        for sound in aligned(target, prediction, sample_rate)
    )
    return float(np.mean(np.abs(first - second)))


def _cumulative(magnitudes: Sound) -> Sound:
    sums = np.maximum(magnitudes.sum(axis=-1, keepdims=True), SMALLEST_FRAME_SUM)
    return np.cumsum(magnitudes / sums, axis=-1)


def rms(target: Sound, prediction: Sound, sample_rate: float) -> float:
    """Cosine similarity of the loudness envelopes.

    The envelopes are the root mean squares of the channels' mean (50 ms frames, 25 ms hop).

    Args:
        target: ``(channels, samples)``.
        prediction: ``(channels, samples)``.
        sample_rate: Samples per second.

    Returns:
        Similarity from 0 to 1, higher is better. Where the script divides 0 by 0, two silent sounds are
        alike (1) and silence beside a sound is not (0).

    Raises:
        ValueError: If the sounds cannot be compared (see `aligned`).
    """
    length, hop = int(0.05 * sample_rate), int(0.025 * sample_rate)
    first, second = (frame_rms(sound.mean(axis=0), length, hop) for sound in aligned(target, prediction, sample_rate))
    norms = np.linalg.norm(first), np.linalg.norm(second)
    if min(norms) == 0:
        return float(max(norms) == 0)
    return float(np.clip(first / norms[0] @ (second / norms[1]), 0.0, 1.0))
