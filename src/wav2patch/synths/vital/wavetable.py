"""The wavetable that our presets carry: basic shapes from a sine over triangle and square to a saw.

Vital reads a wavetable as key-frames of 2,048 samples at positions 0 to 256 and blends between them. The blend is
one of harmonics (amplitude and phase of each), so that every step along the table adds or takes away brightness
evenly; a blend of samples would cancel the harmonics that triangle and square have in opposite phase.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

POSITIONS = (0, 85, 171, 256)
"""Where in the table sine, triangle, square and saw lie."""

NAME = "wav2patch basic shapes"

_SAMPLES = 2048
_HARMONICS = 1023
_ALIKE = 0.995


def key_frames() -> NDArray[np.float32]:
    """Sine, triangle, square and saw, one period each, ``(4, 2048)``: sums of 1,023 harmonics with a peak near 1.

    The fundamental of every shape is a sine that starts at 0, so that none cancels another on the way.
    """
    order = np.arange(1, _HARMONICS + 1)
    odd = order % 2 == 1
    alternating = np.where(order % 4 == 3, -1.0, 1.0)
    amplitudes = np.stack(
        [
            order == 1,
            np.where(odd, alternating * 8.0 / np.pi**2 / order**2, 0.0),
            np.where(odd, 4.0 / np.pi / order, 0.0),
            2.0 / np.pi / order,
        ]
    )
    spectrum = np.zeros((len(POSITIONS), _SAMPLES // 2 + 1), dtype=np.complex128)
    spectrum[:, 1 : _HARMONICS + 1] = -0.5j * _SAMPLES * amplitudes
    return np.fft.irfft(spectrum, n=_SAMPLES).astype(np.float32)


@cache
def wavetable_json() -> dict[str, Any]:
    """The table as an entry of a preset's ``wavetables``."""
    frames = [
        {"position": position, "wave_data": base64.b64encode(frame.astype("<f4").tobytes()).decode("ascii")}
        for position, frame in zip(POSITIONS, key_frames(), strict=True)
    ]
    component = {"interpolation": 1, "interpolation_style": 1, "keyframes": frames, "type": "Wave Source"}
    return {
        "author": "wav2patch",
        "full_normalize": False,
        "groups": [{"components": [component]}],
        "name": NAME,
        "remove_all_dc": True,
        "version": "1.0.6",
    }


def like_ours(table: Mapping[str, Any]) -> bool:
    """Whether an entry of a preset's ``wavetables`` holds the frames of ours."""
    waves = _waves(table)
    return waves is not None and waves.shape == key_frames().shape and np.allclose(waves, key_frames(), atol=1e-4)


def still_frame(table: Mapping[str, Any]) -> float | None:
    """Where in our table the one wave of a table that does not move lies, if it is one of our four.

    Phases and signs do not matter: Vital's own initial table is a saw that starts elsewhere than ours.
    """
    waves = _waves(table)
    if waves is None or len(waves) != 1:
        return None
    spectra = [np.abs(np.fft.rfft(wave))[1:64] for wave in (waves[0], *key_frames())]
    shapes = [spectrum / max(float(np.linalg.norm(spectrum)), 1e-9) for spectrum in spectra]
    likeness = [float(shapes[0] @ shape) for shape in shapes[1:]]
    best = int(np.argmax(likeness))
    return float(POSITIONS[best]) if likeness[best] > _ALIKE else None


def _waves(table: Mapping[str, Any]) -> NDArray[np.float32] | None:
    """The key-frames ``(n, 2048)`` of a table of one plain wave source, None for any other."""
    groups = table.get("groups", [])
    components = groups[0].get("components", []) if len(groups) == 1 else []
    if len(components) != 1 or components[0].get("type") != "Wave Source":
        return None
    try:
        data = [base64.b64decode(frame["wave_data"]) for frame in components[0]["keyframes"]]
        return np.stack([np.frombuffer(wave, dtype="<f4") for wave in data]).astype(np.float32)
    except (KeyError, ValueError, binascii.Error):
        return None
