"""What holds for every feature of the catalogue."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from feature_sounds import chord, noise
from hypothesis import given, settings
from hypothesis import strategies as st

from wav2patch.features.catalogue import FEATURES, load_feature

RATE = 44100


@pytest.fixture(scope="module")
def stereo():
    return chord(0.6, RATE, 2)


@pytest.mark.parametrize("channels", [1, 2])
def test_silence_is_finite_and_all_alike(feature, channels):
    values = feature(np.zeros((channels, RATE), dtype=np.float32), RATE)
    assert np.isfinite(values).all()
    assert np.ptp(values) == 0


@pytest.fixture(scope="module")
def click():
    sound = np.zeros((1, RATE), dtype=np.float32)
    sound[0, RATE // 2] = 1.0
    return sound


def test_a_click_is_finite(feature, click):
    assert np.isfinite(feature(click, RATE)).all()


def test_a_click_is_seen_where_it_is(framed, click):
    values = framed(click, RATE)
    assert values.max(axis=(0, 1)).argmax() == pytest.approx(values.shape[-1] // 2, abs=2)


def test_a_loud_clip_is_finite_and_no_quieter(feature, stereo):
    loud = feature(10 * stereo, RATE)
    assert np.isfinite(loud).all()
    plain, signed = feature(stereo, RATE), feature.name.startswith("waveform")
    assert (abs(loud) >= abs(plain) if signed else loud >= plain - 1e-2).all()


def test_single_precision_and_of_the_shape_it_says(feature, stereo):
    for audio in (stereo, stereo[:1], stereo.astype(np.float16), stereo.astype(np.float64)):
        values = feature(audio, RATE)
        assert values.dtype == np.float32
        assert values.shape == feature.shape(*audio.shape, RATE)
        assert np.isfinite(values.astype(np.float16)).all()


@pytest.mark.parametrize("name", FEATURES)
@given(
    samples=st.integers(0, 3000), channels=st.integers(1, 3), rate=st.sampled_from([16000, 22050, 32000, 44100, 48000])
)
@settings(max_examples=20, deadline=None)
def test_any_length_has_the_shape_it_says(name, samples, channels, rate):
    feature = load_feature(name)
    values = feature(noise(2, (channels, samples)), rate)
    assert values.shape == feature.shape(channels, samples, rate)
    assert np.isfinite(values).all()


def test_four_seconds_have_so_many_frames():
    assert [load_feature(name).shape(1, 4 * RATE, RATE) for name in FEATURES] == [
        (1, 128, 401),
        (1, 128, 401),
        (1, 216, 401),
        (1, 513, 690),
        (1, 2 * RATE + 1),
        (1, 4 * RATE),
    ]


def test_the_same_audio_gives_the_same_bytes(feature, stereo):
    first = feature(stereo, RATE)
    feature(noise(3, (1, 4000)), RATE)
    again = pickle.loads(pickle.dumps(feature))
    assert again == feature
    assert again(stereo.copy(), RATE).tobytes() == first.tobytes()


def test_the_audio_is_left_as_it_was(feature, stereo):
    before = stereo.copy()
    feature(stereo, RATE)
    np.testing.assert_array_equal(stereo, before)


def test_channels_are_exchanged_as_they_are_heard(feature, stereo):
    np.testing.assert_allclose(feature(stereo[::-1], RATE)[::-1], feature(stereo, RATE), atol=1e-4)


def test_channels_are_measured_by_one_reference(framed, stereo):
    louder = framed(np.stack([stereo[0], 0.1 * stereo[0]]), RATE)
    loud = louder[0] > louder.max() - 40
    np.testing.assert_allclose((louder[0] - louder[1])[loud], 20.0, atol=1e-2)


def test_mono_on_both_channels_is_twice_the_mono_feature(feature, stereo):
    mono = stereo[:1]
    both = feature(np.repeat(mono, 2, axis=0), RATE)
    np.testing.assert_array_equal(both[0], both[1])
    np.testing.assert_allclose(both[:1], feature(mono, RATE), atol=1e-4)


@pytest.mark.parametrize("hops", [1, 7])
def test_a_shift_by_hops_shifts_the_frames(framed, stereo, hops):
    delay = hops * round(RATE * framed.hop)
    padded = np.pad(stereo, [(0, 0), (RATE // 4, RATE // 4)])
    later = np.roll(padded, delay, axis=1)
    # Quieter bands hold what is left of louder ones, which rounding changes.
    first, second = framed(padded, RATE)[..., :-hops], framed(later, RATE)[..., hops:]
    heard = first > first.max() - 55
    np.testing.assert_allclose(second[heard], first[heard], atol=1e-2)


def test_a_clip_has_two_dimensions(feature):
    with pytest.raises(ValueError, match=r"\(channels, samples\)"):
        feature(np.zeros(100, dtype=np.float32), RATE)
