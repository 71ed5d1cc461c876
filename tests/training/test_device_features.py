"""Features on the device against those of arrays."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from wav2patch.features.catalogue import FEATURES, load_feature  # noqa: E402
from wav2patch.training.device_features import Standardize, device_feature  # noqa: E402

RATE = 44100
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def clip(index: int, channels: int, samples: int) -> np.ndarray:
    """A decaying tone over noise; every clip has another level."""
    time = np.arange(samples) / RATE
    note = 0.4 * np.sin(2 * np.pi * 110.0 * (index + 1) * time) * np.exp(-2 * time)
    hiss = 0.02 * np.random.default_rng([73, index]).standard_normal((channels, samples))
    return ((note + hiss) * 10.0 ** (-0.5 * index)).astype(np.float32)


def batch(channels: int, samples: int = RATE) -> np.ndarray:
    clips = [clip(i, channels, samples) for i in range(3)]
    return np.stack([*clips, np.zeros_like(clips[0])])


def assert_alike(ours: torch.Tensor, expected: np.ndarray) -> None:
    """Within 1e-3 dB and what single precision loses, and within 5e-3 dB everywhere.

    A transform rounds every bin by some part of its loudest amplitude, so one unit of single precision there
    is 10^(d / 20) units of a bin that lies d dB below: 1e-3 dB at 60 dB, 1e-2 dB at 80 dB. How much of that
    is lost depends on the processor's own instructions.
    """
    values = ours.detach().cpu().numpy()
    loudest = expected.max(axis=tuple(range(1, expected.ndim)), keepdims=True, initial=-np.inf)
    unit = 20 / np.log(10) * np.finfo(np.float32).eps * 10 ** ((loudest - expected) / 20)
    excess = np.abs(values - expected) - np.minimum(1e-3 + unit, 5e-3)
    assert excess.max(initial=-np.inf) <= 0


@pytest.fixture(
    params=[
        *FEATURES,
        "log_mel:bands=40:top_db=60",
        "constant_q:per_octave=36:hop=0.02",
        "spectrum:floor=-80",
        "waveform:gain=5",
    ]
)
def feature(request):
    return load_feature(request.param)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [44100, 22050])
def test_is_the_feature_of_every_clip(feature, device, channels, rate):
    audio = batch(channels)
    expected = np.stack([feature(clip, rate) for clip in audio])
    ours = device_feature(feature, rate).to(device)(torch.from_numpy(audio).to(device))
    assert ours.dtype == torch.float32
    assert_alike(ours, expected)


@pytest.mark.parametrize("samples", [0, 1, 700])
def test_short_clips(feature, samples):
    audio = batch(1, samples)
    expected = np.stack([feature(clip, RATE) for clip in audio])
    assert_alike(device_feature(feature, RATE)(torch.from_numpy(audio)), expected)


def test_stored_half_precision_is_taken_as_it_is(feature):
    audio = batch(1).astype(np.float16)
    expected = np.stack([feature(clip, RATE) for clip in audio])
    assert_alike(device_feature(feature, RATE)(torch.from_numpy(audio)), expected)


def test_autocasting_changes_nothing(feature):
    module, audio = device_feature(feature, RATE), torch.from_numpy(batch(1))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = module(audio)
    assert inside.dtype == torch.float32
    assert torch.equal(inside, module(audio))


def test_clips_of_another_length_are_followed(feature):
    module = device_feature(feature, RATE)
    first = module(torch.from_numpy(batch(1)))
    module(torch.from_numpy(batch(2, 5000)))
    assert torch.equal(module(torch.from_numpy(batch(1))), first)


def test_gradients_are_finite(feature):
    audio = torch.from_numpy(batch(1)).requires_grad_()
    device_feature(feature, RATE)(audio).mean().backward()
    assert torch.isfinite(audio.grad).all()
    assert audio.grad[0].abs().sum() > 0


def test_copies_and_keeps_nothing_in_the_weights(feature):
    module, audio = device_feature(feature, RATE), torch.from_numpy(batch(1))
    values = module(audio)
    assert not module.state_dict()
    assert torch.equal(copy.deepcopy(module)(audio), values)
    assert torch.equal(pickle.loads(pickle.dumps(module))(audio), values)


def test_a_batch_has_three_dimensions(feature):
    with pytest.raises(ValueError, match="batch, channels, samples"):
        device_feature(feature, RATE)(torch.zeros(2, 100))


def test_a_feature_of_arrays_alone_is_named():
    class Other:
        name = "other"

    with pytest.raises(ValueError, match="the feature other is computed from arrays only"):
        device_feature(Other(), RATE)  # pyright: ignore[reportArgumentType]


def test_standardised_bins_have_mean_0_and_deviation_1():
    values = np.random.default_rng([74]).normal(-40, 9, (500, 1, 8, 3)).astype(np.float32)
    module = Standardize(values.mean(axis=0), values.std(axis=0))
    standard = module(torch.from_numpy(values))
    np.testing.assert_allclose(standard.mean(dim=0), 0, atol=1e-4)
    np.testing.assert_allclose(standard.std(dim=0, correction=0), 1, atol=1e-4)
    np.testing.assert_allclose(module.invert(standard), values, atol=1e-3)


@pytest.mark.parametrize("deviation", [0.0, 1e-30, 1e-5])
def test_a_bin_that_never_varies_stays_finite(deviation):
    module = Standardize(np.full((1, 4), -80.0), np.full((1, 4), deviation))
    standard = module(torch.tensor([[[-80.0, -80.00001, 0.0, 80.0]]]))
    np.testing.assert_allclose(standard, [[[0.0, 0.0, 80.0, 160.0]]], atol=1e-3)


def test_statistics_of_bands_serve_all_frames_and_travel_with_the_weights():
    module = Standardize(np.arange(8.0).reshape(1, 8, 1), np.full((1, 8, 1), 2.0))
    assert module(torch.zeros(5, 2, 8, 11, dtype=torch.float16)).shape == (5, 2, 8, 11)
    other = Standardize(np.zeros((1, 8, 1)), np.ones((1, 8, 1)))
    other.load_state_dict(module.state_dict())
    assert torch.equal(other(torch.ones(1, 1, 8, 1)), module(torch.ones(1, 1, 8, 1)))


@pytest.mark.parametrize(
    ("mean", "deviation"), [([0.0], [1.0, 1.0]), ([np.nan], [1.0]), ([0.0], [np.inf]), ([0.0], [-1.0])]
)
def test_statistics_that_are_none_are_refused(mean, deviation):
    with pytest.raises(ValueError, match="deviation"):
        Standardize(np.array(mean), np.array(deviation))
