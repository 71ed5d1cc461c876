"""The building blocks against librosa's frozen values and against plain sums."""

import json
from pathlib import Path

import numpy as np
import pytest
from metric_sounds import PAIRS, noise

from wav2patch.metrics.spectrograms import (
    frame_rms,
    frames,
    hz_to_mel,
    mel_filters,
    mel_spectrogram,
    mel_to_hz,
    mfcc,
    power_to_db,
    stft_magnitude,
)

PARTS = json.loads(Path(__file__).with_name("peer_values.json").read_text(encoding="utf-8"))["parts"]


@pytest.fixture(params=PARTS, ids=lambda part: f"{part['sample_rate']}-{part['n_fft']}-{part['n_mels']}")
def part(request):
    return request.param


@pytest.fixture
def sound(part):
    return next(each()[1] for each in PAIRS.values() if each()[2] == part["sample_rate"])


def test_mel_filters_are_librosas(part):
    bank = mel_filters(part["sample_rate"], part["n_fft"], part["n_mels"])
    assert bank.shape == (part["n_mels"], part["n_fft"] // 2 + 1)
    assert bank.dtype == np.float32
    np.testing.assert_allclose(bank.sum(axis=1), part["mel_sums"], rtol=1e-5, atol=1e-9)
    moments = bank.astype(float) @ np.arange(bank.shape[1])
    np.testing.assert_allclose(moments, part["mel_moments"], rtol=1e-6, atol=1e-9)


def test_stft_is_librosas(part, sound):
    magnitude = stft_magnitude(sound, part["n_fft"], part["n_fft"] // 3)
    picked = magnitude[0, 7, :: max(1, part["n_fft"] // 64)]
    np.testing.assert_allclose(picked, part["stft_frame"], rtol=1e-8, atol=1e-9)


def test_mel_spectrogram_in_db_is_librosas(part, sound):
    power = mel_spectrogram(sound, part["sample_rate"], part["n_fft"], part["n_fft"] // 3, part["n_mels"])
    np.testing.assert_allclose(power_to_db(power, ref=np.max)[0, 7], part["mel_db_frame"], atol=1e-6)


def test_mfcc_are_librosas(part, sound):
    ours = mfcc(sound, part["sample_rate"], 20, part["n_fft"], part["n_fft"] // 3, part["n_mels"])
    np.testing.assert_allclose(ours[0, 7], part["mfcc_frame"], atol=1e-5)


def test_frame_rms_is_librosas(part, sound):
    ours = frame_rms(sound, part["n_fft"], part["n_fft"] // 3)
    np.testing.assert_allclose(ours[0, :20], part["rms"], rtol=1e-5, atol=1e-9)


def test_mel_scale_turns_back_and_has_its_corner_at_1_khz():
    hertz = np.array([0.0, 440.0, 999.9, 1000.0, 1000.1, 20000.0])
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(hertz)), hertz, rtol=1e-12)
    np.testing.assert_allclose(hz_to_mel(np.array([200.0, 1000.0, 6400.0])), [3.0, 15.0, 42.0], rtol=1e-12)


def test_mel_filters_keep_to_their_range_and_have_equal_areas():
    bank = mel_filters(44100, 8192, 20, fmin=300.0, fmax=8000.0)
    bins = np.fft.rfftfreq(8192, 1 / 44100)
    assert not bank[:, (bins <= 300.0) | (bins >= 8000.0)].any()
    np.testing.assert_allclose(bank.sum(axis=1) * 44100 / 8192, 1.0, rtol=2e-2)


@pytest.mark.parametrize(("fmin", "fmax"), [(-1.0, None), (500.0, 500.0), (23000.0, None)])
def test_mel_filters_refuse_an_empty_range(fmin, fmax):
    with pytest.raises(ValueError, match="fmin"):
        mel_filters(44100, 1024, 8, fmin=fmin, fmax=fmax)


def test_shared_filters_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        mel_filters(44100, 1024, 8)[0, 0] = 1.0


@pytest.mark.parametrize("n_fft", [64, 63])
def test_stft_is_the_sum_that_defines_it(n_fft):
    hop = 20
    audio = noise(3, 0.004, 44100)[0]
    padded = np.pad(audio, n_fft // 2)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    waves = np.exp(-2j * np.pi * np.outer(np.arange(n_fft // 2 + 1), np.arange(n_fft)) / n_fft)
    starts = range(0, len(padded) - n_fft + 1, hop)
    expected = [np.abs(waves @ (window * padded[start : start + n_fft])) for start in starts]
    np.testing.assert_allclose(stft_magnitude(audio, n_fft, hop), expected, atol=1e-12)


def test_a_shorter_window_sits_in_the_middle_of_the_frame():
    impulse = np.zeros(64)
    impulse[32] = 1.0
    whole = stft_magnitude(impulse, 64, 64, win_length=16, center=False)
    np.testing.assert_allclose(whole, 1.0, atol=1e-12)
    impulse[32], impulse[41] = 0.0, 1.0
    assert not stft_magnitude(impulse, 64, 64, win_length=16, center=False).any()


def test_single_precision_stays_single():
    assert stft_magnitude(noise(4, 0.01, 44100).astype(np.float32), 64, 16).dtype == np.float32


@pytest.mark.parametrize(("samples", "center", "count"), [(1, True, 1), (1, False, 1), (10, True, 3)])
def test_number_of_frames(samples, center, count):
    assert frames(np.ones((2, samples)), 8, 4, center).shape == (2, count, 8)


def test_power_to_db():
    power = np.array([[0.0, 1e-12, 1e-3], [1.0, 10.0, 100.0]])
    np.testing.assert_allclose(power_to_db(power, top_db=None), [[-100, -100, -30], [0, 10, 20]])
    np.testing.assert_allclose(power_to_db(power), [[-60, -60, -30], [0, 10, 20]])
    np.testing.assert_allclose(power_to_db(power, ref=np.max, top_db=40.0), [[-40] * 3, [-20, -10, 0]])
    np.testing.assert_allclose(power_to_db(np.zeros(3), ref=np.max), 0.0)
