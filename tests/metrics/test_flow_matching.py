"""MSS, wMFCC, SOT and RMS against the paper's script, live packages and sounds with known answers."""

import numpy as np
import pytest
from metric_sounds import noise, notes, tone

from wav2patch.metrics.flow_matching import mss, rms, sot, wmfcc

RATE = 44100


# Printed by scripts/compute_audio_metrics.py of github.com/ben-hayes/synth-permutations (commit 2936bc0) for
# the pair `notes` in single precision, as the script reads its WAV files.
@pytest.mark.parametrize(
    ("metric", "value"),
    [(mss, 4.804423809), (wmfcc, 5.886804032), (sot, 0.0848606005), (rms, 0.8080739379)],
)
def test_is_the_papers_script(metric, value):
    target, prediction, rate = notes()
    ours = metric(target.astype(np.float32), prediction.astype(np.float32), rate)
    assert ours == pytest.approx(value, rel=5e-6)


@pytest.mark.parametrize("metric", [mss, sot, rms])
@pytest.mark.parametrize("gain", [0.5, 30.0])
def test_level_is_not_heard(metric, gain):
    target, prediction, rate = notes()
    expected = metric(target, prediction, rate)
    assert metric(target, gain * prediction, rate) == pytest.approx(expected, rel=1e-6)
    assert metric(gain * target, prediction, rate) == pytest.approx(expected, rel=1e-6)


def test_mss_hears_that_a_sound_is_so_quiet_that_its_range_is_cut():
    target, prediction, rate = notes()
    assert mss(1e-9 * target, 1e-9 * prediction, rate) == 0.0
    assert mss(target, 1e-3 * prediction, rate) > 3 * mss(target, prediction, rate)


def test_wmfcc_hears_level():
    sound = noise(0, 0.5, RATE, 2)
    # A gain of 20 dB moves c0 of the 20 coefficients by 20 * sqrt(128), and nothing else.
    assert wmfcc(sound, 10.0 * sound, RATE) == pytest.approx(20 * np.sqrt(128) / 20, rel=0.05)


def test_wmfcc_forgives_a_stretch_that_mss_does_not():
    slow, fast = (tone(220.0, decay, 1.0, RATE)[None] for decay in (2.0, 4.0))
    duller = np.cumsum(slow, axis=1) * 0.03
    assert wmfcc(slow, fast, RATE) < wmfcc(slow, duller, RATE)


@pytest.mark.parametrize(("first", "second"), [(1000.0, 3000.0), (5000.0, 5500.0), (440.0, 15000.0)])
def test_sot_is_the_way_from_one_sine_to_another(first, second):
    time = np.arange(RATE) / RATE
    low, high = (np.sin(2 * np.pi * hertz * time)[None] for hertz in (first, second))
    assert sot(low, high, RATE) == pytest.approx((second - first) / (RATE / 2), rel=0.03)


def test_sot_is_pots_transport():
    ot = pytest.importorskip("ot")
    from wav2patch.metrics.spectrograms import stft_magnitude

    target, prediction = noise(1, 0.2, RATE), np.cumsum(noise(2, 0.2, RATE), axis=1)
    spectra = [stft_magnitude(sound[0], 2205, 882) for sound in (target, prediction)]
    places = np.arange(1103) / 1103
    costs = [ot.wasserstein_1d(places, places, a / a.sum(), b / b.sum()) for a, b in zip(*spectra, strict=True)]
    assert sot(target, prediction, RATE) == pytest.approx(np.mean(costs), rel=1e-9)


def test_sot_fades_into_silence_where_a_frames_sum_falls_below_its_smallest():
    sound = noise(9, 0.2, RATE)
    assert sot(sound, 1e-6 * sound, RATE) == pytest.approx(0.0, abs=1e-12)
    assert sot(sound, 1e-12 * sound, RATE) == pytest.approx(sot(sound, 0 * sound, RATE), rel=1e-2)


def test_silence_has_the_documented_values():
    sound, silence = noise(3, 0.3, RATE), np.zeros((1, 1))
    assert rms(sound, silence, RATE) == 0.0
    assert rms(silence, silence, RATE) == 1.0
    assert 0.0 < sot(sound, silence, RATE) < 1.0
    assert sot(silence, silence, RATE) == 0.0
    assert 0.0 < mss(sound, silence, RATE) <= 80.0


def test_rms_follows_the_envelope_only():
    rise = np.linspace(0.0, 1.0, RATE)
    white, other = noise(4, 1.0, RATE), noise(5, 1.0, RATE)
    assert rms(white * rise, other * rise, RATE) > 0.999
    # Cosine of t and 1 - t on [0, 1]: (1/6) / (1/3).
    assert rms(white * rise, other * rise[::-1], RATE) == pytest.approx(0.5, abs=0.02)


def test_channels_are_averaged_by_sot_and_rms_only():
    left = np.concatenate([noise(6, 0.3, RATE), np.zeros((1, 13230))])
    both = np.repeat(left.sum(axis=0, keepdims=True), 2, axis=0)
    assert sot(both, left, RATE) == pytest.approx(0.0, abs=1e-12)
    assert rms(both, left, RATE) == pytest.approx(1.0)
    assert mss(both, left, RATE) > 30.0
