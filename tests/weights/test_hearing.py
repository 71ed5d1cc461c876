from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny_models import FEATURE, LENGTH, SAMPLE_RATE, TINY, tiny_record, tiny_standard

from wav2patch.errors import UserError
from wav2patch.features.catalogue import load_feature
from wav2patch.resampling import resample
from wav2patch.weights.hearing import load_hearing
from wav2patch.weights.record import Record

_SAMPLES = round(LENGTH * SAMPLE_RATE)


@pytest.fixture(scope="module")
def record() -> Record:
    return tiny_record(TINY["flow"])


def _sound(channels: int, samples: int) -> np.ndarray:
    return np.random.default_rng([1, channels]).normal(0, 0.1, (channels, samples)).astype(np.float32)


@pytest.mark.parametrize("samples", [10, _SAMPLES, 3 * _SAMPLES])
def test_sounds_are_cut_or_followed_by_silence(record: Record, samples: int) -> None:
    sound = _sound(1, samples)
    clip = np.zeros((1, _SAMPLES), np.float32)
    clip[:, : min(samples, _SAMPLES)] = sound[:, :_SAMPLES]
    heard = load_hearing(record, None, "here")(sound, SAMPLE_RATE)
    np.testing.assert_array_equal(heard, load_feature(FEATURE)(clip, SAMPLE_RATE))
    assert heard.shape == record.shape


def test_other_rates_and_channels_are_brought_to_the_models(record: Record) -> None:
    hearing, sound = load_hearing(record, None, "here"), _sound(2, 22_050)
    wanted = hearing(resample(sound.mean(axis=0, keepdims=True), 44_100, SAMPLE_RATE), SAMPLE_RATE)
    np.testing.assert_allclose(hearing(sound, 44_100), wanted, atol=1e-4)


def test_mono_is_heard_on_both_sides(record: Record) -> None:
    stereo = replace(record, channels=2, shape=(2, *record.shape[1:]))
    heard = load_hearing(stereo, None, "here")(_sound(1, _SAMPLES), SAMPLE_RATE)
    np.testing.assert_array_equal(heard[0], heard[1])


def test_channels_that_cancel_out_are_not_heard_as_silence(record: Record) -> None:
    sound = _sound(1, _SAMPLES)
    hearing = load_hearing(record, None, "here")
    np.testing.assert_array_equal(hearing(np.concatenate([sound, -sound]), SAMPLE_RATE), hearing(sound, SAMPLE_RATE))


def test_features_are_standardised(record: Record) -> None:
    sound, standard = _sound(1, _SAMPLES), tiny_standard(record)
    plain = load_hearing(record, None, "here")(sound, SAMPLE_RATE)
    np.testing.assert_array_equal(load_hearing(record, standard, "here")(sound, SAMPLE_RATE), standard(plain))


def test_a_feature_that_has_changed_is_refused(record: Record) -> None:
    with pytest.raises(UserError, match="train it again"):
        load_hearing(replace(record, shape=(1, 24, 99)), None, "here")


def test_what_takes_pytorch_is_refused(record: Record) -> None:
    with pytest.raises(UserError, match=r"the model here hears through mn04_mel, which takes PyTorch"):
        load_hearing(replace(record, feature="mn04_mel"), None, "here")
