"""The panel: every audio metric that ``wav2patch compare`` shows, in the order in which it shows them.

Conventions:
    A sound is a floating-point array ``(channels, samples)``; the shorter of two is padded with zeros, mono
    plays on both channels of stereo. The target comes first: differences are prediction minus target.
    Adding a metric is a pure function in its family's file and one entry here.

Metrics:
    * `wav2patch.metrics.flow_matching`: ``mss``, ``wmfcc``, ``sot``, ``rms``.
    * `wav2patch.metrics.spectral`: ``stft_convergence``, ``stft_log_magnitude``, ``lsd``, ``mfcc``.
    * `wav2patch.metrics.loudness`: ``loudness``.
    * `wav2patch.metrics.pitch`: ``f0``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wav2patch.metrics import flow_matching, loudness, pitch, spectral

Sound = NDArray[np.floating]
AudioMetric = Callable[[Sound, Sound, float], float]


@dataclass(frozen=True)
class Metric:
    """One row of the panel.

    Attributes:
        name: Key in the results of `evaluate`.
        label: What a table calls it.
        unit: Unit of the value; empty for a pure number.
        better: Which values are better. Where `signed`, this is about the size of the value.
        function: ``(target, prediction, sample_rate) -> float`` on sounds; None for ``f0``, which compares
            pitches that a tracker found (`wav2patch.metrics.pitch.f0_difference`).
        explanation: What the value says, in words a musician understands.
        signed: Whether the sign tells a direction, 0 being perfect.
    """

    name: str
    label: str
    unit: str
    better: Literal["lower", "higher"]
    function: AudioMetric | None
    explanation: str
    signed: bool = False

    @property
    def perfect(self) -> float:
        """The value of two identical sounds."""
        return 0.0 if self.better == "lower" else 1.0


PANEL = (
    Metric(
        "mss",
        "Multi-scale spectral distance",
        "dB",
        "lower",
        flow_matching.mss,
        "How far the tone colour is off over time, whatever the volume of the two sounds. Two renders of "
        "one analogue-style patch can differ by 0.7; published systems reach 3 to 15.",
    ),
    Metric(
        "wmfcc",
        "Timbre distance, time-warped",
        "",
        "lower",
        flow_matching.wmfcc,
        "How far the timbre is off when one sound may be stretched in time to fit the other: it forgives "
        "a slower attack, not a duller one. Volume counts.",
    ),
    Metric(
        "sot",
        "Spectral transport",
        "",
        "lower",
        flow_matching.sot,
        "How far energy would have to move up or down in frequency to turn one spectrum into the other, "
        "as a share of the whole range. It notices wrong notes and wrong filter settings.",
    ),
    Metric(
        "rms",
        "Volume envelope similarity",
        "",
        "higher",
        flow_matching.rms,
        "How alike the rise and fall of the volume are; 1 is the same shape. A different overall volume is forgiven.",
    ),
    Metric(
        "stft_convergence",
        "Spectral convergence",
        "",
        "lower",
        spectral.stft_convergence,
        "How large the error of the spectrum is beside the spectrum itself. The loudest partials decide; "
        "1 is as wrong as silence.",
    ),
    Metric(
        "stft_log_magnitude",
        "Log magnitude distance",
        "Np",
        "lower",
        spectral.stft_log_magnitude,
        "How far the level is off on average over all frequencies and moments, the quiet ones as much as "
        "the loud ones; 1 is about 9 dB.",
    ),
    Metric(
        "lsd",
        "Log-spectral distance",
        "dB",
        "lower",
        spectral.lsd,
        "How many decibels the spectrum is off at a typical moment. Anything 80 dB below the target's "
        "loudest partial counts as silence.",
    ),
    Metric(
        "mfcc",
        "Timbre distance",
        "",
        "lower",
        spectral.mfcc_distance,
        "How far the timbre is off moment by moment, without forgiving timing. Volume counts.",
    ),
    Metric(
        "loudness",
        "Loudness difference",
        "LU",
        "lower",
        loudness.loudness_difference,
        "How much louder (+) or quieter (-) the match is to the ear; most people hear a difference from about 1 LU.",
        signed=True,
    ),
    Metric(
        "f0",
        "Pitch difference",
        "cents",
        "lower",
        None,
        "How much sharper (+) or flatter (-) the match is: 100 cents are a semitone, 1200 an octave.",
        signed=True,
    ),
)


def evaluate(
    target: Sound,
    prediction: Sound,
    sample_rate: float,
    *,
    target_f0: float | None = None,
    prediction_f0: float | None = None,
) -> dict[str, float | None]:
    """Every metric of the panel for one pair of sounds.

    Args:
        target: ``(channels, samples)``.
        prediction: ``(channels, samples)``.
        sample_rate: Samples per second of both.
        target_f0: The target's pitch in Hz, None if unknown.
        prediction_f0: The prediction's pitch in Hz, None if unknown.

    Returns:
        Values by name, in the order of `PANEL`. All are finite; ``f0`` is None without both pitches.

    Raises:
        ValueError: If the sounds or the pitches cannot be compared.
    """
    values: dict[str, float | None] = {}
    for metric in PANEL:
        if metric.function is None:
            values[metric.name] = pitch.f0_difference(target_f0, prediction_f0)
        else:
            values[metric.name] = metric.function(target, prediction, sample_rate)
    return values
