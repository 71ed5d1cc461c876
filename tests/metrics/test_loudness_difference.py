"""Loudness against the recommendation's printed numbers and against pyloudnorm."""

import numpy as np
import pytest
from metric_sounds import noise, notes

from wav2patch.metrics.loudness import integrated_loudness, k_weighting, loudness_difference


def sine(decibels, seconds, rate, channels=2, hertz=997.0):
    time = np.arange(round(seconds * rate)) / rate
    return np.repeat(10 ** (decibels / 20) * np.sin(2 * np.pi * hertz * time)[None], channels, axis=0)


def test_k_weighting_is_the_recommendations_table_at_48_khz():
    expected = [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
    np.testing.assert_allclose(k_weighting(48000), expected, rtol=1e-12)


@pytest.mark.parametrize("rate", [44100, 48000, 96000, 22050])
def test_a_full_scale_sine_in_one_channel_is_3_lufs_down(rate):
    assert integrated_loudness(sine(0.0, 2.0, rate, channels=1), rate) == pytest.approx(-3.01, abs=0.03)


def test_ebu_tech_3341_case_1():
    assert integrated_loudness(sine(-23.0, 2.0, 48000, hertz=1000.0), 48000) == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize(("rate", "seconds"), [(44100, 4.0), (48000, 1.3), (22050, 0.4)])
def test_is_pyloudnorm(rate, seconds):
    pyloudnorm = pytest.importorskip("pyloudnorm")
    sound = noise(0, seconds, rate, 2)
    # Quiet enough at its end for both gates to close, loud again for them to open.
    sound[:, rate // 2 :] *= 0.05
    sound[:, rate:] *= 1e-3
    meter = pyloudnorm.Meter(rate, filter_class="DeMan")
    expected = meter.integrated_loudness(sound.T.copy())
    assert integrated_loudness(sound, rate) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("step", [-9.0, -11.5, -14.0])
def test_the_relative_gate_is_pyloudnorms(step):
    pyloudnorm = pytest.importorskip("pyloudnorm")
    # The quiet quarter lowers the gate to about 11 LU below the loud part.
    sound = np.hstack([noise(1, 3.0, 48000), 10 ** (step / 20) * noise(2, 1.0, 48000)])
    expected = pyloudnorm.Meter(48000, filter_class="DeMan").integrated_loudness(sound.T.copy())
    assert integrated_loudness(sound, 48000) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("rate", [44100, 11025, 4001])
def test_blocks_are_summed_as_the_recommendation_says(rate):
    from scipy import signal

    # Loud to quiet, so that both gates close; at two of the rates a step is no whole number of samples.
    sound = noise(5, 3.0, rate, 2) * np.logspace(1, -4, 3 * rate)
    power = np.square(signal.sosfilt(k_weighting(rate), sound)).sum(axis=0)
    block = int(0.4 * rate)
    starts = [int(0.1 * i * rate) for i in range(int((3 * rate - block) / (0.1 * rate)) + 1)]
    powers = np.array([power[start : start + block].mean() for start in starts])
    audible = powers[-0.691 + 10 * np.log10(powers) > -70]
    heard = audible[audible > 0.1 * audible.mean()]
    assert 0 < len(heard) < len(audible) < len(powers)
    assert integrated_loudness(sound, rate) == pytest.approx(-0.691 + 10 * np.log10(heard.mean()), rel=1e-9)


@pytest.mark.parametrize("gain", [0.1, 0.5, 4.0])
def test_the_difference_of_a_gain_is_the_gain(gain):
    sound, _, rate = notes()
    assert loudness_difference(sound, gain * sound, rate) == pytest.approx(20 * np.log10(gain), abs=0.2)


@pytest.mark.parametrize("samples", [1, 441, 17639, 17640])
def test_a_clip_shorter_than_a_block_still_has_a_difference(samples):
    click = np.full((1, samples), 0.5)
    assert loudness_difference(click, 2 * click, 44100) == pytest.approx(20 * np.log10(2), abs=1e-9)


def test_silence_counts_as_the_lowest_loudness_there_is():
    sound, silence = sine(-20.0, 1.0, 48000), np.zeros((2, 48000))
    assert integrated_loudness(silence, 48000) == -70.0
    assert loudness_difference(sound, silence, 48000) == pytest.approx(-50.0, abs=0.05)
    assert loudness_difference(silence, sound, 48000) == pytest.approx(50.0, abs=0.05)
    assert loudness_difference(silence, 1e-6 * sound, 48000) == 0.0
