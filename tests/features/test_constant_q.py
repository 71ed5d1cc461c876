"""The constant-Q feature against the sums that define it, and what pitch does to it."""

from __future__ import annotations

import numpy as np
import pytest
from feature_sounds import chord

from wav2patch.features.constant_q import ConstantQ

RATE = 44100


def tone(hertz: float, partials: int = 1) -> np.ndarray:
    time = np.arange(RATE) / RATE
    return sum(np.sin(2 * np.pi * k * hertz * time) / k for k in range(1, partials + 1))[None]


@pytest.mark.parametrize("band", [0, 30, 90, 150, 215])
@pytest.mark.parametrize("frame", [0, 9, 20])
def test_a_value_is_the_sum_that_defines_it(band, frame):
    feature, sound = ConstantQ(), chord(0.3, RATE, 1)
    plan = feature.plan(sound.shape[1], RATE)
    group = next(group for group in plan.groups if band in group.bands)
    centre = feature.centres(RATE)[band]
    half = max(centre * (2 ** (1 / 24) - 1), 6.0)

    hertz = np.arange(plan.samples // 2 + 1) * RATE / plan.samples
    cut = np.abs(hertz - centre) < half
    weights = 0.5 + 0.5 * np.cos(np.pi * (hertz[cut] - centre) / half)
    clock = np.arange(sound.shape[1]) / RATE
    spectrum = weights * (np.exp(-2j * np.pi * np.outer(hertz[cut], clock)) @ sound[0].astype(float))

    finer = group.samples // plan.frames
    instants = (frame * finer - finer // 2 + np.arange(finer)) * 441 / finer / RATE
    wave = np.exp(2j * np.pi * np.outer(instants, hertz[cut])) @ spectrum * 2 / plan.samples
    expected = 10 * np.log10(max(np.mean(np.abs(wave) ** 2), 1e-10))
    assert feature(sound, RATE)[0, band, frame] == pytest.approx(expected, abs=5e-3)


@pytest.mark.parametrize("band", [24, 96, 144, 200])
def test_a_full_scale_sine_is_0_db_in_its_band_and_gone_two_semitones_away(band):
    feature = ConstantQ()
    middle = feature(tone(feature.centres(RATE)[band]), RATE)[0, :, 50]
    assert middle.argmax() == band
    assert middle[band] == pytest.approx(0.0, abs=0.1)
    if band >= 72:
        assert np.delete(middle, range(band - 3, band + 4)).max() < -45


@pytest.mark.parametrize("semitones", [1, 5, 12])
def test_transposition_is_a_shift(semitones):
    feature = ConstantQ()
    low = feature(tone(440.0, 8), RATE)[0, 80:, 50]
    high = feature(tone(440.0 * 2 ** (semitones / 12), 8), RATE)[0, 80:, 50]
    moved = low[: -2 * semitones]
    loud = moved > -40
    assert loud.sum() >= 10
    np.testing.assert_allclose(high[2 * semitones :][loud], moved[loud], atol=0.3)


def test_a_click_between_two_frames_is_not_missed():
    feature = ConstantQ()
    levels = []
    for offset in (0, 110, 220, 330):
        click = np.zeros((1, RATE), dtype=np.float32)
        click[0, 22050 + offset] = 1.0
        levels.append(10 * np.log10((10 ** (feature(click, RATE)[0, -10:] / 10)).sum(axis=-1)))
    np.testing.assert_allclose(levels, np.broadcast_to(levels[0], (4, 10)), atol=0.01)


@pytest.mark.parametrize(("rate", "bands"), [(16000, 196), (22050, 207), (44100, 216), (96000, 216)])
def test_bands_end_below_half_the_sample_rate(rate, bands):
    feature = ConstantQ()
    assert feature.shape(1, rate, rate)[1] == bands
    assert feature.centres(rate)[-1] < rate / 2


@pytest.mark.parametrize("gain", [10.0, 0.1])
def test_the_level_is_kept(gain):
    sound = chord(0.5, RATE, 1)
    plain = ConstantQ()(sound, RATE)
    loud = plain > -50
    np.testing.assert_allclose(ConstantQ()(gain * sound, RATE)[loud] - plain[loud], 20 * np.log10(gain), atol=1e-3)
