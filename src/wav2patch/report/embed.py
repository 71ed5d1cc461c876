"""Sounds and pictures as data URIs, so that a page is one file and needs no network."""

from __future__ import annotations

import base64
import io

import numpy as np
import soundfile
from numpy.typing import NDArray

_FULL_SCALE = 32767


def data_uri(content: bytes, mime: str) -> str:
    """`content` as a base64 data URI."""
    return f"data:{mime};base64,{base64.b64encode(content).decode('ascii')}"


def flac(audio: NDArray[np.floating], sample_rate: int, *, gain: float = 1.0) -> bytes:
    """A FLAC file of 16 bits a sample: lossless, about half of a WAV file, and played by every current browser.

    Args:
        audio: Shape (channels, samples) or (samples,), at most two channels; clipped at full scale after `gain`.
        sample_rate: Samples per second.
        gain: Factor on every sample.
    """
    scaled = np.clip(np.atleast_2d(audio) * float(gain), -1.0, 1.0) * _FULL_SCALE
    file = io.BytesIO()
    soundfile.write(file, np.rint(scaled).astype(np.int16).T, sample_rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()
