"""Loudness as broadcasters measure it (ITU-R BS.1770-4), and the difference of two sounds.

Conventions:
    Sounds are ``(channels, samples)`` with full scale 1. Channels weigh 1 each (left, right, centre; there
    are no surround channels here). The filters are the recommendation's at 48 kHz, carried to other sample
    rates by the analogue prototypes behind them (De Man, "Evaluation of implementations of the EBU R128
    loudness measurement", 2018), which is pyloudnorm's filter class "DeMan".

Metrics:
    * `loudness_difference`: prediction minus target in LU.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from wav2patch.metrics.pairs import aligned

Sound = NDArray[np.floating]

BLOCK_SECONDS, STEP_SECONDS = 0.4, 0.1
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
OFFSET_LUFS = -0.691

SHELF_HZ, SHELF_Q = 1681.974450955533, 0.7071752369554196
SHELF_GAIN = 10.0 ** (3.999843853973347 / 20.0)
SHELF_MID_GAIN = SHELF_GAIN**0.4996667741545416
HIGH_PASS_HZ, HIGH_PASS_Q = 38.13547087602444, 0.5003270373238773


def loudness_difference(target: Sound, prediction: Sound, sample_rate: float) -> float:
    """How much louder the prediction is than the target.

    Args:
        target: ``(channels, samples)``.
        prediction: ``(channels, samples)``.
        sample_rate: Samples per second.

    Returns:
        Difference of the integrated loudnesses in LU; positive if the prediction is louder. Silence counts as
        -70 LUFS, so the value is finite, and 0 for two silent sounds.

    Raises:
        ValueError: If the sounds cannot be compared (see `aligned`).
    """
    first, second = aligned(target, prediction, sample_rate)
    return integrated_loudness(second, sample_rate) - integrated_loudness(first, sample_rate)


def integrated_loudness(audio: Sound, sample_rate: float) -> float:
    """Gated loudness of a whole sound (ITU-R BS.1770-4, annex 1).

    Mean K-weighted power of the 400 ms blocks (one every 100 ms) that are louder than -70 LUFS and than 10
    LU below the mean of those. Samples after the last whole block are not heard, and a sound shorter than
    one block is padded with silence to one.

    Args:
        audio: ``(channels, samples)``.
        sample_rate: Samples per second, at least 4000.

    Returns:
        Loudness in LUFS; -70, the lowest that the measurement knows, if no block is louder than that.
    """
    powers = _block_powers(audio, sample_rate)
    audible = powers[powers > _power(ABSOLUTE_GATE_LUFS)]
    if len(audible) == 0:
        return ABSOLUTE_GATE_LUFS
    gate = audible.mean() * 10.0 ** (RELATIVE_GATE_LU / 10.0)
    return OFFSET_LUFS + 10.0 * float(np.log10(audible[audible > gate].mean()))


def _power(lufs: float) -> float:
    return 10.0 ** ((lufs - OFFSET_LUFS) / 10.0)


def _block_powers(audio: Sound, sample_rate: float) -> NDArray[np.float64]:
    block = int(BLOCK_SECONDS * sample_rate)
    short = max(0, block - audio.shape[1])
    padded = np.pad(audio, [(0, 0), (0, short)]) if short else audio
    weighted = np.asarray(signal.sosfilt(k_weighting(sample_rate), padded, axis=-1))
    count = int((padded.shape[1] - block) / (STEP_SECONDS * sample_rate)) + 1
    starts = (np.arange(count) * STEP_SECONDS * sample_rate).astype(int)
    # Blocks overlap: each stretch between their ends is summed once, which takes a fifth of a running sum's time.
    ends = np.unique([starts, starts + block])
    heard = weighted[:, : ends[-1]]
    stretches = np.add.reduceat(np.square(heard, out=heard), ends[:-1], axis=-1).sum(axis=0)
    energy = np.concatenate([[0.0], np.cumsum(stretches)])
    return (energy[np.searchsorted(ends, starts + block)] - energy[np.searchsorted(ends, starts)]) / block


def k_weighting(sample_rate: float) -> NDArray[np.float64]:
    """K-weighting: a shelf for the acoustics of the head, then a high-pass.

    Args:
        sample_rate: Samples per second, at least 4000.

    Returns:
        Second-order sections ``(2, 6)`` for `scipy.signal.sosfilt`.
    """
    shelf = np.tan(np.pi * SHELF_HZ / sample_rate)
    shelf_below = _bilinear(shelf, 1.0, 1.0 / SHELF_Q, 1.0)
    shelf_above = _bilinear(shelf, SHELF_GAIN, SHELF_MID_GAIN / SHELF_Q, 1.0)
    low_below = _bilinear(np.tan(np.pi * HIGH_PASS_HZ / sample_rate), 1.0, 1.0 / HIGH_PASS_Q, 1.0)
    # The recommendation prints the high-pass's numerator as 1, -2, 1: it is not divided by the leading term.
    return np.array(
        [
            np.concatenate([shelf_above, shelf_below]) / shelf_below[0],
            np.concatenate([[1.0, -2.0, 1.0], low_below / low_below[0]]),
        ]
    )


def _bilinear(warp: float, square: float, linear: float, constant: float) -> NDArray[np.float64]:
    """Coefficients in 1/z of ``square s² + linear s + constant`` under s = (1 - 1/z) / (1 + 1/z) / warp."""
    ends = square + constant * warp**2
    return np.array([ends + linear * warp, 2.0 * (constant * warp**2 - square), ends - linear * warp])
