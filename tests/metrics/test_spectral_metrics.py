"""Level-keeping spectral distances on sounds whose distance can be worked out by hand."""

import numpy as np
import pytest
from metric_sounds import noise, notes

from wav2patch.metrics.spectral import lsd, mfcc_distance, stft_convergence, stft_log_magnitude

RATE = 44100
NOISE = noise(0, 0.5, RATE, 2)
SILENCE = np.zeros((2, 100))


@pytest.mark.parametrize("gain", [0.5, 0.9, 2.0])
def test_convergence_of_a_gain_is_its_distance_from_1(gain):
    assert stft_convergence(NOISE, gain * NOISE, RATE) == pytest.approx(abs(1 - gain), rel=1e-3)


def test_convergence_calls_silence_wrong_by_all():
    assert stft_convergence(NOISE, SILENCE, RATE) == pytest.approx(1.0, abs=1e-3)
    assert 1e3 < stft_convergence(SILENCE, NOISE, RATE) < np.inf


def test_log_magnitude_of_a_gain_is_its_logarithm():
    assert stft_log_magnitude(NOISE, np.e * NOISE, RATE) == pytest.approx(1.0, rel=1e-3)


def test_log_magnitude_is_symmetric_and_convergence_is_not():
    target, prediction, rate = notes()
    there, back = (
        stft_log_magnitude(target, prediction, rate),
        stft_log_magnitude(prediction, target, rate),
    )
    assert there == pytest.approx(back, rel=1e-12)
    assert stft_convergence(target, prediction, rate) != pytest.approx(stft_convergence(prediction, target, rate))


def test_lsd_of_a_gain_is_the_gain():
    assert lsd(NOISE, 10 ** (6 / 20) * NOISE, RATE) == pytest.approx(6.0, rel=1e-3)


def test_lsd_hears_nothing_80_db_below_the_targets_maximum():
    time = np.arange(RATE) / RATE
    sine = np.sin(2 * np.pi * 1000 * time)[None]
    fade = np.hanning(RATE)
    assert lsd(sine * fade, sine * fade + 1e-7 * noise(1, 1.0, RATE), RATE) < 0.05
    assert lsd(sine * fade, sine * fade + noise(1, 1.0, RATE), RATE) > 5.0


def test_lsd_of_silence_is_bounded_by_its_range():
    assert 0.0 < lsd(NOISE, SILENCE, RATE) <= 80.0
    assert lsd(SILENCE, NOISE, RATE) == pytest.approx(lsd(NOISE, SILENCE, RATE))
    assert lsd(SILENCE, SILENCE, RATE) == 0.0


def test_lsd_takes_its_floor_from_the_target():
    loud = 1e5 * NOISE
    assert lsd(NOISE, loud, RATE) == pytest.approx(100.0, rel=1e-3)
    assert lsd(loud, NOISE, RATE) < 80.0


def test_mfcc_distance_of_a_gain_is_what_c0_moves():
    assert mfcc_distance(NOISE, 2 * NOISE, RATE) == pytest.approx(20 * np.log10(2) * np.sqrt(128), rel=1e-3)
