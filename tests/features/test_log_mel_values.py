"""Log-mel values against librosa's frozen ones, and the level that one of the two features keeps."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from feature_sounds import SOUNDS, chord, noise

from wav2patch.features.log_mel import LogMel
from wav2patch.features.log_mel_level import LogMelLevel

PEER = json.loads(Path(__file__).with_name("librosa_values.json").read_text(encoding="utf-8"))
RATE = 44100


@pytest.mark.parametrize("name", SOUNDS)
def test_log_mel_is_librosas(name):
    sound, rate = SOUNDS[name]
    ours, peer = LogMel()(sound, rate), PEER[name]
    assert list(ours.shape) == peer["shape"]
    for frame, values in peer["frames"].items():
        np.testing.assert_allclose(ours[-1, :, int(frame)], values, atol=1e-3)
    np.testing.assert_allclose(ours.astype(float).mean(axis=(0, 2)), peer["bands"], atol=1e-3)


def test_more_frames_than_are_transformed_at_once_are_no_different():
    sound = chord(3.0, RATE, 1)
    whole, rest = LogMelLevel()(sound, RATE), LogMelLevel()(sound[:, 44100:], RATE)
    np.testing.assert_allclose(whole[..., 102:], rest[..., 2:], atol=1e-2)


@pytest.mark.parametrize("hertz", [250.0, 1000.0, 4000.0])
def test_a_full_scale_sine_is_about_0_db(hertz):
    sine = np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)[None]
    loudest = LogMelLevel()(sine, RATE).max(axis=1)[0, 10:90]
    # Slaney's bands have equal areas: wider ones, above 1 kHz, are lower.
    assert loudest.min() == pytest.approx(0.0, abs=0.01) if hertz == 1000.0 else abs(loudest.min()) < 8


@pytest.mark.parametrize("gain", [10.0, 0.5, 0.01])
def test_the_level_is_kept(gain):
    sound = noise(4, (1, RATE))
    plain = LogMelLevel()(sound, RATE)
    moved = np.maximum(plain + 20 * np.log10(gain), -100.0)
    heard = plain > -100.0
    np.testing.assert_allclose(LogMelLevel()(gain * sound, RATE)[heard], moved[heard], atol=1e-3)
    np.testing.assert_allclose(LogMel()(gain * sound, RATE), LogMel()(sound, RATE), atol=1e-3)


def test_log_mel_follows_from_the_one_with_the_level():
    sound = chord(0.5, RATE, 2)
    level = LogMelLevel()(sound, RATE)
    np.testing.assert_allclose(np.maximum(level - level.max(), -80.0), LogMel()(sound, RATE), atol=1e-4)


@pytest.mark.parametrize("samples", [0, 1, 100])
def test_a_tiny_silent_clip_is_the_floor(samples):
    np.testing.assert_allclose(LogMelLevel()(np.zeros((1, samples)), RATE), -100.0, atol=1e-4)
    np.testing.assert_allclose(LogMelLevel(floor=-60.0)(np.zeros((1, samples)), RATE), -60.0, atol=1e-4)
