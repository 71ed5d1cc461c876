"""The short-time Fourier transform as a feature."""

from __future__ import annotations

import numpy as np
import pytest

from wav2patch.errors import UserError
from wav2patch.features.catalogue import load_feature

RATE = 44_100


def test_a_sine_is_half_the_window_in_its_bin() -> None:
    sine = np.sin(2 * np.pi * 32 * np.arange(8192) / 1024).astype(np.float32)[None]
    values = load_feature("stft")(sine, RATE)
    assert values.shape == (1, 513, 33)
    middle = np.expm1(values[0, :, 16])
    assert middle.argmax() == 32
    assert middle[32] == pytest.approx(256.0, rel=1e-4)  # of a Hann window's 512, half is in each of two frequencies
    assert middle[40:].max() < 1e-2


def test_settings_and_their_ends() -> None:
    assert load_feature("stft:size=512:hop=128").shape(2, 1024, RATE) == (2, 257, 9)
    assert load_feature("stft:size=1024").name == "stft"
    for words in ("stft:size=15", "stft:size=17", "stft:hop=0", "stft:hop=2000"):
        with pytest.raises(UserError, match="even number from 16"):
            load_feature(words)
