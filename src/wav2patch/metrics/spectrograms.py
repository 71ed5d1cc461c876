"""Spectrograms of arrays: the building blocks of every metric that looks at the spectrum.

Conventions:
    Audio is ``(..., samples)``; spectrograms are ``(..., frames, bins)``, time before frequency. Frequencies
    are in Hz. The definitions are those of librosa's defaults (frames centred on multiples of the hop, zero
    padding at both ends, Slaney mel scale and normalisation), so that values can be laid beside the
    literature's; librosa itself, with its compiler, is not needed.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

FloatArray = NDArray[np.floating]

MEL_BREAK_HZ = 1000.0
MEL_LINEAR_HZ = 200.0 / 3.0
MEL_LOG_STEP = np.log(6.4) / 27.0


def hz_to_mel(frequency: FloatArray) -> FloatArray:
    """Slaney's mel scale: linear below 1 kHz, logarithmic above (Auditory Toolbox, 1998).

    Args:
        frequency: Frequencies in Hz, any shape, at least 0.

    Returns:
        Mels of the same shape; 1000 Hz is 15 mel.
    """
    frequency = np.asarray(frequency, dtype=np.float64)
    above = MEL_BREAK_HZ / MEL_LINEAR_HZ + np.log(np.maximum(frequency, MEL_BREAK_HZ) / MEL_BREAK_HZ) / MEL_LOG_STEP
    return np.where(frequency < MEL_BREAK_HZ, frequency / MEL_LINEAR_HZ, above)


def mel_to_hz(mel: FloatArray) -> FloatArray:
    """Inverse of `hz_to_mel`."""
    mel = np.asarray(mel, dtype=np.float64)
    corner = MEL_BREAK_HZ / MEL_LINEAR_HZ
    above = MEL_BREAK_HZ * np.exp(MEL_LOG_STEP * (np.maximum(mel, corner) - corner))
    return np.where(mel < corner, mel * MEL_LINEAR_HZ, above)


@lru_cache(maxsize=64)
def mel_filters(
    sample_rate: float, n_fft: int, n_mels: int, fmin: float = 0.0, fmax: float | None = None
) -> NDArray[np.float32]:
    """Triangular mel filter bank of equal areas, as ``librosa.filters.mel`` makes by default.

    Args:
        sample_rate: Samples per second.
        n_fft: Length of the FFT whose bins are summed.
        n_mels: Number of filters.
        fmin: Lowest frequency in Hz.
        fmax: Highest frequency in Hz; half the sample rate if None.

    Returns:
        float32 ``(n_mels, n_fft // 2 + 1)``, read-only because calls share it. Filters narrower than the
        bins' spacing may be all zero.

    Raises:
        ValueError: If the range of frequencies is empty.
    """
    top = sample_rate / 2 if fmax is None else fmax
    if not 0 <= fmin < top:
        raise ValueError(f"mel filters need 0 <= fmin < fmax, not fmin={fmin}, fmax={top}")
    ends = hz_to_mel(np.array([fmin, top]))
    edges = mel_to_hz(np.linspace(ends[0], ends[1], n_mels + 2))
    bins = np.fft.rfftfreq(n_fft, 1.0 / sample_rate)
    widths = np.diff(edges)[:, None]
    ramps = bins - edges[:, None]
    triangles = np.minimum(ramps[:-2] / widths[:-1], -ramps[2:] / widths[1:])
    areas = (edges[2:] - edges[:-2])[:, None]
    bank = (2.0 / areas * np.maximum(triangles, 0.0)).astype(np.float32)
    bank.flags.writeable = False
    return bank


def frames(audio: FloatArray, length: int, hop: int, center: bool = True) -> FloatArray:
    """Overlapping frames, as a view where nothing has to be padded.

    Args:
        audio: ``(..., samples)``.
        length: Samples per frame.
        hop: Samples from one frame to the next.
        center: Frame i is centred on sample ``i * hop``, with zeros beyond both ends; otherwise it starts
            there. A signal shorter than one frame is padded with zeros at its end.

    Returns:
        ``(..., frames, length)``, read-only.
    """
    before = length // 2 if center else 0
    short = max(length - audio.shape[-1] - 2 * before, 0)
    if before or short:
        audio = np.pad(audio, [(0, 0)] * (audio.ndim - 1) + [(before, before + short)])
    return np.lib.stride_tricks.sliding_window_view(audio, length, axis=-1)[..., ::hop, :]


def stft_magnitude(
    audio: FloatArray,
    n_fft: int,
    hop: int,
    window: str = "hann",
    center: bool = True,
    win_length: int | None = None,
) -> FloatArray:
    """Magnitude of the short-time Fourier transform, like ``abs(librosa.stft(...))`` with time first.

    Args:
        audio: ``(..., samples)``; float32 stays float32.
        n_fft: Length of the frames and of the FFT.
        hop: Samples from one frame to the next.
        window: Name of a window known to SciPy; its periodic form is used.
        center: Frames centred on multiples of the hop, with zeros beyond both ends.
        win_length: Length of the window, centred within the frame; ``n_fft`` if None.

    Returns:
        Magnitudes ``(..., frames, n_fft // 2 + 1)``.
    """
    shape = _window(window, win_length or n_fft, n_fft, audio.dtype)
    return np.abs(np.asarray(fft.rfft(frames(audio, n_fft, hop, center) * shape, axis=-1)))


@lru_cache(maxsize=64)
def _window(name: str, length: int, n_fft: int, dtype: np.dtype) -> FloatArray:
    shape = signal.get_window(name, length, fftbins=True)
    left = (n_fft - length) // 2
    padded = np.pad(shape, (left, n_fft - length - left)).astype(dtype)
    padded.flags.writeable = False
    return padded


def mel_spectrogram(
    audio: FloatArray,
    sample_rate: float,
    n_fft: int,
    hop: int,
    n_mels: int,
    fmin: float = 0.0,
    fmax: float | None = None,
) -> FloatArray:
    """Mel power spectrogram, like ``librosa.feature.melspectrogram`` with time first.

    Args:
        audio: ``(..., samples)``.
        sample_rate: Samples per second.
        n_fft: Length of the frames, of their Hann window and of the FFT.
        hop: Samples from one frame to the next.
        n_mels: Number of mel bands.
        fmin: Lowest frequency in Hz.
        fmax: Highest frequency in Hz; half the sample rate if None.

    Returns:
        Powers ``(..., frames, n_mels)``.
    """
    power = np.square(stft_magnitude(audio, n_fft, hop))
    return power @ mel_filters(sample_rate, n_fft, n_mels, fmin, fmax).T.astype(power.dtype)


def power_to_db(
    power: FloatArray,
    ref: float | Callable[[FloatArray], float] = 1.0,
    top_db: float | None = 80.0,
    amin: float = 1e-10,
) -> FloatArray:
    """Power in decibels, like ``librosa.power_to_db``.

    Args:
        power: Powers of any shape, at least 0.
        ref: The power that becomes 0 dB, or a function of ``power`` that gives it, such as ``np.max``.
        top_db: Values lower than the maximum by more than this are raised to that floor; None keeps them.
        amin: Smallest power that is told apart from zero; also the smallest reference.

    Returns:
        Decibels of the same shape.
    """
    reference = ref(power) if callable(ref) else ref
    decibels = 10.0 * np.log10(np.maximum(power, amin)) - 10.0 * np.log10(max(reference, amin))
    return decibels if top_db is None else np.maximum(decibels, decibels.max() - top_db)


def mfcc(audio: FloatArray, sample_rate: float, n_mfcc: int, n_fft: int, hop: int, n_mels: int = 128) -> FloatArray:
    """Mel-frequency cepstral coefficients, like ``librosa.feature.mfcc`` with time first.

    The mel spectrogram in dB (reference 1.0, floor 80 dB below the maximum over all channels) goes through an
    orthonormal type 2 cosine transform.

    Args:
        audio: ``(..., samples)``.
        sample_rate: Samples per second.
        n_mfcc: Number of coefficients, from c0.
        n_fft: Length of the frames.
        hop: Samples from one frame to the next.
        n_mels: Number of mel bands.

    Returns:
        Coefficients ``(..., frames, n_mfcc)``.
    """
    decibels = power_to_db(mel_spectrogram(audio, sample_rate, n_fft, hop, n_mels))
    return np.asarray(fft.dct(decibels, type=2, axis=-1, norm="ortho"))[..., :n_mfcc]


def frame_rms(audio: FloatArray, length: int, hop: int) -> FloatArray:
    """Root mean square of centred frames, like ``librosa.feature.rms(y=...)``.

    Args:
        audio: ``(..., samples)``.
        length: Samples per frame.
        hop: Samples from one frame to the next.

    Returns:
        ``(..., frames)``.
    """
    return np.sqrt(np.mean(np.square(frames(audio, length, hop)), axis=-1))
