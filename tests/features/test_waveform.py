"""The samples of a clip."""

from __future__ import annotations

import numpy as np
from feature_sounds import noise

from wav2patch.features.catalogue import FEATURES, heard_raw, load_feature


def test_is_the_samples_times_the_gain():
    sound = noise(3, (2, 500))
    np.testing.assert_array_equal(load_feature("waveform")(sound, 44100), sound)
    np.testing.assert_allclose(load_feature("waveform:gain=5")(sound, 44100), 5 * sound, rtol=1e-6)


def test_mixed_sounds_are_added():
    feature, one, other = load_feature("waveform:gain=3"), noise(1, (1, 64)), noise(2, (1, 64))
    np.testing.assert_allclose(feature(one + other, 44100), feature(one, 44100) + feature(other, 44100), atol=1e-5)


def test_amplitudes_are_heard_as_they_are() -> None:
    assert [name for name in FEATURES if heard_raw(f"{name}:x=1")] == ["stft", "spectrum", "waveform"]
    assert not heard_raw("mel128")
