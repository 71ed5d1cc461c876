"""The spectrum of a whole clip."""

from __future__ import annotations

import numpy as np
import pytest
from feature_sounds import noise

from wav2patch.features.catalogue import load_feature
from wav2patch.features.spectrum import Spectrum


@pytest.mark.parametrize("samples", [1, 2, 7, 1024, 4410])
def test_is_the_transform_divided_by_the_length(samples):
    sound = noise(5, (2, samples))
    # Term by term from the definition.
    turns = np.outer(np.arange(samples // 2 + 1), np.arange(samples)) / samples
    expected = np.abs(sound.astype(np.float64) @ np.exp(-2j * np.pi * turns).T) / samples
    np.testing.assert_allclose(Spectrum()(sound, 44100), expected, atol=1e-7)
    decibels = 20 * np.log10(np.maximum(expected, 1e-3))
    np.testing.assert_allclose(load_feature("spectrum:floor=-60")(sound, 44100), decibels, atol=2e-3)


@pytest.mark.parametrize("length", [1000, 4000])
def test_a_full_scale_sine_is_half_in_its_bin(length):
    sine = np.sin(2 * np.pi * 50 * np.arange(length) / length)[None]
    values = Spectrum()(sine, 44100)
    assert values.shape == (1, length // 2 + 1)
    assert values[0, 50] == pytest.approx(0.5, abs=1e-6)
    assert np.delete(values[0], 50).max() < 1e-6
    assert Spectrum(-80.0)(sine, 44100)[0, 50] == pytest.approx(-6.0206, abs=1e-4)


def test_silence_is_the_floor_and_an_empty_clip_has_one_bin():
    assert Spectrum()(np.zeros((2, 0)), 44100).tolist() == [[0.0], [0.0]]
    assert (Spectrum(-80.0)(np.zeros((1, 64)), 44100) == -80).all()
