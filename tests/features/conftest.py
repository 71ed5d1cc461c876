from __future__ import annotations

from typing import Any

import pytest

from wav2patch.features.base import Feature
from wav2patch.features.catalogue import FEATURES, load_feature

# A few settings beside the defaults: what holds for one feature has to hold for all, however it is set.
VARIANTS = ("log_mel:bands=40:hop=0.02:top_db=60", "log_mel_level:window=0.05", "constant_q:per_octave=36:hop=0.02")


@pytest.fixture(params=[*FEATURES, *VARIANTS, "spectrum:floor=-80", "waveform:gain=5"])
def feature(request: pytest.FixtureRequest) -> Feature:
    return load_feature(request.param)


@pytest.fixture(params=[name for name in (*FEATURES, *VARIANTS) if name not in ("stft", "spectrum", "waveform")])
def framed(request: pytest.FixtureRequest) -> Any:
    """Features that have frames, and are in decibels."""
    return load_feature(request.param)
