"""How alike two recordings are, by every metric of the panel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wav2patch.audio.channels import to_mono
from wav2patch.audio.files import duration, read_audio
from wav2patch.audio.pitch import find_pitch
from wav2patch.errors import UserError
from wav2patch.metrics.panel import evaluate
from wav2patch.resampling import resample

LONGEST = 120.0
"""Seconds of sound that are compared at most: the warped metrics take time with the square of the length."""

_LOWEST_RATE = 8000


def compare(target: Path | str, other: Path | str) -> dict[str, float | None]:
    """Compare two audio files as they are, from their first sample on; the shorter one counts as silent after its end.

    Args:
        target: The sound that is aimed at; the other is brought to its sample rate.
        other: The sound that is compared with it.

    Returns:
        The metrics of `wav2patch.metrics.panel.PANEL` by name, None where one does not apply.

    Raises:
        UserError: A file cannot be read, is too long, or has too few samples a second.
    """
    first, rate = _read(Path(target))
    second, other_rate = _read(Path(other))
    second = resample(second, other_rate, rate)
    if len(first) != len(second) and min(len(first), len(second)) > 1:
        first, second = to_mono(first)[None], to_mono(second)[None]
    pitches = [find_pitch(to_mono(audio), rate).frequency for audio in (first, second)]
    return evaluate(first, second, rate, target_f0=pitches[0], prediction_f0=pitches[1])


def _read(path: Path) -> tuple[NDArray[np.float32], int]:
    audio, rate = read_audio(path)
    if rate < _LOWEST_RATE:
        raise UserError(f"{path} has {rate} samples a second: sounds are compared from {_LOWEST_RATE} on.")
    if duration(path) > LONGEST:
        raise UserError(f"{path} lasts longer than {LONGEST:.0f} s: cut out what is to be compared.")
    return audio, rate
