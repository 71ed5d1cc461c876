"""The noise that our presets carry as their sample."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

import numpy as np

NAME = "White Noise"
"""Vital's own name for its noise, of which it draws a new second for every new preset."""

_RATE = 44100


@cache
def noise_json() -> dict[str, Any]:
    """One second of white noise, always the same, as a preset's ``sample``."""
    noise = np.random.default_rng([2026, 11]).uniform(-0.9, 0.9, _RATE)
    samples = base64.b64encode((noise * 32767).astype("<i2").tobytes()).decode("ascii")
    return {"name": NAME, "length": _RATE, "sample_rate": _RATE, "samples": samples}


def nothing_json() -> dict[str, Any]:
    """A sample of one silent value, for renders that do not play it: loading a second of sound takes 6 ms."""
    return {"name": "", "length": 1, "sample_rate": _RATE, "samples": "AAA="}
