"""One contract for every metric of the panel, and each against its peer's frozen value."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_sounds import PAIRS, noise, notes, tone

from wav2patch.metrics.panel import PANEL, evaluate
from wav2patch.metrics.pitch import f0_difference

PEER_VALUES = json.loads(Path(__file__).with_name("peer_values.json").read_text(encoding="utf-8"))["metrics"]
AUDIO_METRICS = [metric for metric in PANEL if metric.function is not None]
SYMMETRIC = {"mss", "wmfcc", "sot", "rms", "stft_log_magnitude", "mfcc"}
RATE = 44100
SHORT = {"one sample": 1, "10 ms": 441, "399 ms": 17595}


@pytest.fixture(params=AUDIO_METRICS, ids=lambda metric: metric.name)
def metric(request):
    return request.param


def error(metric, target, prediction, sample_rate=RATE):
    return abs(metric.function(target, prediction, sample_rate) - metric.perfect)


@pytest.mark.parametrize("pair", PAIRS)
def test_is_its_peers_value(metric, pair):
    assert metric.function(*PAIRS[pair]()) == pytest.approx(PEER_VALUES[pair][metric.name], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("pair", PAIRS)
def test_identical_sounds_are_perfect(metric, pair):
    target, _, rate = PAIRS[pair]()
    assert metric.function(target, target.copy(), rate) == pytest.approx(metric.perfect, abs=1e-12)


def test_more_noise_is_worse(metric):
    clean = np.repeat(tone(220.0, 2.0, 0.5, RATE)[None], 2, axis=0)
    grades = [error(metric, clean, clean + level * noise(0, 0.5, RATE, 2)) for level in (0.0, 0.05, 0.5, 5.0)]
    assert grades == sorted(grades)
    assert grades[-1] > grades[0]


def test_returns_a_float_and_leaves_its_arguments_alone(metric):
    target, prediction, rate = notes()
    before = target.copy(), prediction.copy()
    assert type(metric.function(target, prediction, rate)) is float
    np.testing.assert_array_equal(target, before[0])
    np.testing.assert_array_equal(prediction, before[1])


def test_single_precision_makes_no_difference(metric):
    target, prediction, rate = notes()
    single = metric.function(target.astype(np.float32), prediction.astype(np.float32), rate)
    assert single == pytest.approx(metric.function(target, prediction, rate), rel=1e-5)


@pytest.mark.parametrize("samples", SHORT.values(), ids=SHORT)
def test_short_clips_have_finite_values(metric, samples):
    target, prediction = noise(1, 0.5, RATE)[:, :samples], noise(2, 0.5, RATE, 2)[:, :samples]
    assert math.isfinite(metric.function(target, prediction, RATE))
    assert metric.function(target, target, RATE) == pytest.approx(metric.perfect, abs=1e-12)


@pytest.mark.parametrize("samples", [1, 441, RATE])
def test_silence(metric, samples):
    silence, sound = np.zeros((2, samples)), noise(3, 0.5, RATE, 2)
    assert metric.function(silence, silence, RATE) == pytest.approx(metric.perfect, abs=1e-12)
    for pair in ((sound, silence), (silence, sound)):
        assert math.isfinite(metric.function(*pair, RATE))
        assert error(metric, *pair) > 0.01


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_what_is_no_sound_is_refused(metric, wrong):
    good, bad = np.zeros((1, 1000)), np.zeros((1, 1000))
    bad[0, 500] = wrong
    for pair in ((good, bad), (bad, good)):
        with pytest.raises(ValueError, match="NaN or infinite"):
            metric.function(*pair, RATE)


def test_mono_is_stereo_with_two_equal_channels(metric):
    mono, stereo = noise(4, 0.3, RATE), noise(5, 0.3, RATE, 2)
    doubled = np.repeat(mono, 2, axis=0)
    assert metric.function(mono, stereo, RATE) == metric.function(doubled, stereo, RATE)
    assert metric.function(stereo, mono, RATE) == metric.function(stereo, doubled, RATE)


def test_the_shorter_sound_is_followed_by_silence(metric):
    long, short = noise(6, 0.5, RATE), noise(7, 0.3, RATE)
    padded = np.pad(short, [(0, 0), (0, long.shape[1] - short.shape[1])])
    assert metric.function(long, short, RATE) == metric.function(long, padded, RATE)
    assert metric.function(short, long, RATE) == metric.function(padded, long, RATE)


@pytest.mark.parametrize("each", AUDIO_METRICS, ids=lambda each: each.name)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**16),
    lengths=st.tuples(st.integers(1, 6000), st.integers(1, 6000)),
    gains=st.tuples(st.floats(-8.0, 3.0), st.floats(-8.0, 3.0)),
    channels=st.tuples(st.integers(1, 2), st.integers(1, 2)),
)
def test_invariants(each, seed, lengths, gains, channels):
    rng = np.random.default_rng([13, seed])
    target, prediction = (
        10.0**gain * rng.standard_normal((count, length))
        for gain, count, length in zip(gains, channels, lengths, strict=True)
    )
    value = each.function(target, prediction, 16000)
    assert math.isfinite(value)
    assert each.signed or value >= 0
    assert each.better == "lower" or value <= 1
    if each.name in SYMMETRIC:
        assert each.function(prediction, target, 16000) == pytest.approx(value, rel=1e-9, abs=1e-12)
    elif each.signed:
        assert each.function(prediction, target, 16000) == pytest.approx(-value, abs=1e-9)


def test_evaluate_gives_the_whole_panel_in_order():
    target, prediction, rate = notes()
    values = evaluate(target, prediction, rate, target_f0=220.0, prediction_f0=247.0)
    assert list(values) == [metric.name for metric in PANEL]
    assert values["f0"] == f0_difference(220.0, 247.0)
    for metric in AUDIO_METRICS:
        assert metric.function is not None
        assert values[metric.name] == metric.function(target, prediction, rate)


def test_evaluate_without_a_pitch_leaves_it_out():
    sound = noise(8, 0.1, RATE)
    assert evaluate(sound, sound, RATE)["f0"] is None
    assert evaluate(sound, sound, RATE, target_f0=100.0)["f0"] is None


def test_the_panel_explains_itself():
    names = [metric.name for metric in PANEL]
    assert len(set(names)) == len(names)
    assert len({metric.label for metric in PANEL}) == len(names)
    assert all(metric.explanation.endswith(".") for metric in PANEL)
    assert [metric.name for metric in PANEL if metric.signed] == ["loudness", "f0"]
    assert [metric.name for metric in PANEL if metric.better == "higher"] == ["rms"]
    assert [metric.name for metric in PANEL if metric.function is None] == ["f0"]
