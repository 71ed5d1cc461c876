"""Degraded targets: what is heard changes as recordings do, and what is to be found stays."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_model import QUIET
from test_resume_runs import clip_record
from tiny_inverter import fit, load, same, tiny_module
from torch import Tensor

from wav2patch.datasets.shards.layout import AUDIO, FEATURES
from wav2patch.errors import UserError
from wav2patch.features.catalogue import load_feature
from wav2patch.models.noise import Noise
from wav2patch.training.callbacks.checkpoints import LAST, Checkpoints
from wav2patch.training.data_module import ClipData
from wav2patch.training.degrading.augment import Degrade
from wav2patch.training.degrading.chances import Chances, Likelihoods, draw_chances
from wav2patch.training.degrading.clips import DegradedClips
from wav2patch.training.degrading.spectra import rooms
from wav2patch.training.degrading.spectrograms import DegradedSpectrograms
from wav2patch.training.device_features import device_feature
from wav2patch.training.making import make_data
from wav2patch.training.settings import DataSettings

pytestmark = [pytest.mark.filterwarnings(one) for one in QUIET]

RATE = 16_000
LEVEL, RELATIVE = load_feature("log_mel_level:bands=64:hop=0.02"), load_feature("log_mel:bands=64:hop=0.02")
PITCHED = load_feature("constant_q:per_octave=12:octaves=8:hop=0.02")
STORED = (LEVEL, RELATIVE, PITCHED)
NEVER = Likelihoods(**dict.fromkeys([one.name for one in dataclasses.fields(Likelihoods)], 0.0))


def often(share: float) -> Likelihoods:
    """Everything so often, and no sound stays clean."""
    names = [one.name for one in dataclasses.fields(Likelihoods)]
    return Likelihoods(**dict.fromkeys(names, share) | {"clean": 0.0})


def only(**likely: float) -> Likelihoods:
    """That these things happen, and no others."""
    return dataclasses.replace(NEVER, **dict.fromkeys(likely, 1.0) | likely)


def sounds(rows: int = 12, seconds: float = 1.0) -> Tensor:
    """Decaying notes with overtones, float32 ``(rows, 1, samples)``."""
    times = np.arange(round(RATE * seconds)) / RATE
    found = []
    for row in range(rows):
        rng = np.random.default_rng([0, row])
        parts = [np.sin(2 * np.pi * 110 * (1 + row % 3) * k * times + rng.uniform(0, 6)) / k for k in range(1, 20)]
        found.append(0.2 * np.sum(parts, axis=0) * np.exp(-times * rng.uniform(0.5, 6)))
    return torch.from_numpy(np.stack(found)).float()[:, None]


def bursts(rows: int = 24) -> Tensor:
    """Noise that decays, and stops after 0.5 s of 1 s, float32 ``(rows, 1, samples)``."""
    times = np.arange(RATE) / RATE
    found = [np.random.default_rng([1, row]).normal(size=RATE) * np.exp(-(1 + row % 5) * times) for row in range(rows)]
    return torch.from_numpy(0.1 * np.stack(found) * (times < 0.5)).float()[:, None]


def batch_of(audio: Tensor, index: Tensor | None = None, epoch: int = 0) -> dict[str, Any]:
    index = torch.arange(len(audio)) if index is None else index
    features = {FEATURES + one.name: device_feature(one, RATE)(audio).half() for one in STORED}
    return {"index": index, "parameters": torch.ones(len(audio), 3), "epoch": epoch, AUDIO: audio.half(), **features}


def make(strength: float = 1.0, seed: int = 0, likely: Likelihoods | None = None) -> Degrade:
    return Degrade(seed, strength, RATE, STORED, likely)


def chances_of(rows: int, likely: Likelihoods, strength: float = 1.0) -> Chances:
    return draw_chances(Noise(0, 0, torch.arange(rows)), strength, likely)


HEARD = (AUDIO, *(FEATURES + one.name for one in STORED))


def test_a_row_is_degraded_by_seed_epoch_and_number_alone() -> None:
    audio, order = sounds(), torch.tensor([7, 2, 11, 0, 5])
    torch.manual_seed(1)
    state = torch.get_rng_state()
    whole = make()(batch_of(audio))
    some = make()(batch_of(audio[order], order))
    assert torch.equal(torch.get_rng_state(), state)
    for name in HEARD:
        assert torch.allclose(whole[name][order], some[name], atol=1e-5 if name == AUDIO else 5e-3)
    again = make()(batch_of(audio))
    for other in (make(seed=1)(batch_of(audio)), make()(batch_of(audio, epoch=1))):
        for name in HEARD:
            assert torch.equal(whole[name], again[name])
            assert not torch.allclose(whole[name], other[name])


def test_strength_0_changes_nothing_and_others_are_refused() -> None:
    batch = batch_of(sounds())
    assert make(0.0)(batch) is batch
    for name in HEARD:
        assert torch.equal(make(likely=NEVER)(batch)[name], batch[name].float())
        assert torch.equal(make(likely=Likelihoods(clean=1.0))(batch)[name], batch[name].float())
    for strength in (-0.1, 1.5, float("nan")):
        with pytest.raises(UserError, match="from 0, which is off, to 1"):
            make(strength)
    with pytest.raises(UserError, match=r"stored spectrum.* cannot be degraded"):
        Degrade(0, 1.0, RATE, [load_feature("spectrum")])


def test_a_share_of_the_sounds_stays_clean_and_all_parameters_stay() -> None:
    batch = batch_of(sounds(200, 0.1))
    before = {name: value.clone() for name, value in batch.items() if isinstance(value, Tensor)}
    found = make()(batch)
    assert all(torch.equal(batch[name], value) for name, value in before.items())
    assert found["parameters"] is batch["parameters"]
    for name in HEARD:
        clean = (found[name] == batch[name].float()).flatten(1).all(dim=1)
        assert 0.2 < clean.float().mean() < 0.4
    more = draw_chances(Noise(0, 0, torch.arange(20_000)), 1.0, Likelihoods())
    assert (~more.any).float().mean() == pytest.approx(0.3, abs=0.02)


def test_strength_is_how_far_it_goes() -> None:
    for strength in (0.2, 1.0):
        chances = chances_of(5_000, Likelihoods(), strength)
        gain, noisy = chances.gain, chances.snr[chances.snr.isfinite()]
        assert -15 * strength <= gain.min() < -14 * strength
        assert 8.4 * strength < gain.max() <= 9 * strength
        assert 10 * noisy.log10().min() == pytest.approx(60 - 45 * strength, abs=0.5)
        assert 0.028 * strength < chances.shift.abs().max() <= 0.03 * strength
        assert chances.shift.abs().quantile(0.5) < 0.006


@pytest.mark.parametrize("kind", ["silence", "direct current", "an impulse", "full scale", "a short clip"])
def test_whatever_comes_stays_finite(kind: str) -> None:
    audio = torch.zeros(64, 2, 40 if kind == "a short clip" else 1_600)
    if kind == "direct current":
        audio += 0.5
    elif kind == "an impulse":
        audio[:, 0, 0] = 1e-4
    elif kind != "silence":
        audio += torch.from_numpy(np.random.default_rng(0).choice([-1.0, 1.0], audio.shape)).float()
    batch = batch_of(audio)
    found = make(likely=often(0.7))(batch)
    for name in HEARD:
        assert found[name].shape == batch[name].shape
        assert found[name].isfinite().all()
        if kind == "silence":
            assert torch.equal(found[name], batch[name].float())


def test_the_noise_is_as_far_below_the_sound_as_it_was_asked_for() -> None:
    audio, chances = sounds(32), chances_of(32, only(noise=1.0))
    added = DegradedClips(RATE)(audio, chances) - audio
    ratio = 10 * (audio.square().mean(dim=(1, 2)) / added.square().mean(dim=(1, 2))).log10()
    assert (ratio - 10 * chances.snr.log10()).abs().max() < 1.0
    assert ratio.min() < 20
    # A darker colour has less power in the upper half.
    power = torch.fft.rfft(added[:, 0]).abs().square()
    bright = power[:, power.shape[1] // 2 :].sum(dim=1) / power.sum(dim=1)
    assert np.corrcoef(bright, chances.colour)[0, 1] < -0.9


def test_the_level_is_what_was_asked_for() -> None:
    audio, chances = sounds(), chances_of(12, only(gain=1.0))
    found = DegradedClips(RATE)(audio, chances)
    assert torch.allclose(found, audio * 10 ** (chances.gain / 20)[:, None, None], atol=1e-6)


def test_the_onset_moves_and_nothing_wraps_around() -> None:
    audio, chances = torch.zeros(40, 1, 4_000), chances_of(40, only(shift=1.0))
    audio[:, 0, [1_000, 3_999]] = 1.0
    found = DegradedClips(RATE)(audio, chances)
    moved = 1_000 + (chances.shift * RATE).round().long()
    assert (found[torch.arange(40), 0, moved] == 1).all()
    assert not found[:, 0, :500].any()
    assert moved.min() < 1_000 < moved.max()


def test_a_room_goes_on_after_the_sound_and_dies_away() -> None:
    audio = torch.zeros(24, 1, RATE)
    audio[:, 0, :160] = torch.from_numpy(np.random.default_rng(0).normal(size=160)).float()
    chances = dataclasses.replace(chances_of(24, NEVER), wet=torch.ones(24), room=torch.arange(24))
    found = DegradedClips(RATE)(audio, chances)[:, 0]
    early, late = (found[:, a:b].square().mean(dim=1) for a, b in ((400, 1_200), (2_000, 2_800)))
    assert (early > 1e-8).all()
    fell = 10 * (early / late).log10() / 0.1
    assert torch.allclose(fell, 60 / torch.from_numpy(rooms().decays).float(), rtol=0.35)
    assert found[:, -1_600:].abs().max() < 1e-5


def test_peaks_are_cut_off_and_samples_rounded() -> None:
    audio = sounds()
    chances = chances_of(12, only(clip=1.0))
    found, peak = DegradedClips(RATE)(audio, chances), audio.abs().amax(dim=(1, 2))
    assert torch.allclose(found.abs().amax(dim=(1, 2)), peak * chances.clip)
    chances = chances_of(12, only(bits=1.0))
    error = (DegradedClips(RATE)(audio, chances) - audio).abs().amax(dim=(1, 2))
    assert torch.allclose(error, peak * chances.step / 2, rtol=0.05)


KINDS: dict[str, tuple[Callable[[int], Tensor], Likelihoods, float, float]] = {
    # The most that the mean may be off, and that the mean of the absolute difference may be, in dB.
    "gain": (sounds, only(gain=1.0), 0.05, 0.05),
    "tilt": (bursts, only(tilt=1.0), 0.3, 0.3),
    "band": (bursts, only(band=1.0), 0.3, 0.5),
    "noise": (sounds, only(noise=1.0), 0.3, 1.2),
    "shift": (bursts, only(shift=1.0), 1.2, 2.6),
    "room": (bursts, only(room=1.0), 1.0, 3.0),
    "all": (sounds, dataclasses.replace(often(0.5), clip=0.0), 0.6, 2.0),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("feature", STORED, ids=["level", "relative", "pitched"])
def test_degraded_features_are_about_those_of_degraded_audio(kind: str, feature: Any) -> None:
    sounding, likely, off, apart = KINDS[kind]
    audio, chances = sounding(24), chances_of(24, likely)
    maker = device_feature(feature, RATE)
    clean, wanted = maker(audio), maker(DegradedClips(RATE)(audio, chances))
    found = DegradedSpectrograms(feature, RATE)(clean, chances)
    loud = torch.maximum(wanted, found) > -70
    error = (found - wanted)[loud]
    # The partials of these sounds lie in the middle of pitched bands, where they seem up to a dB louder than they are.
    slack = 2.0 if feature is PITCHED else 1.0
    assert error.mean().abs() < slack * off
    assert error.abs().mean() < slack * apart
    if (kind, feature) != ("gain", RELATIVE):
        assert error.abs().mean() < 0.75 * (clean - wanted)[loud].abs().mean()


@pytest.mark.parametrize("feature", ["log_mel", "log_mel_level"], ids=["stored", "computed"])
def test_settings_degrade_training_batches_alone(finished_set: Path, feature: str) -> None:
    settings = DataSettings(folder=str(finished_set), feature=feature, degrade=1.0, batch_size=16, workers=0)
    data: Any = make_data(settings)
    clean: Any = make_data(dataclasses.replace(settings, degrade=0.0))
    assert clean.augment is None
    data.setup("fit")
    clean.setup("fit")
    name = FEATURES + feature
    for batch in data.val_dataloader():
        held_out = data.on_after_batch_transfer(dict(batch), 0)
        assert torch.equal(held_out[name], clean.on_after_batch_transfer(dict(batch), 0)[name])
    (batch, *_) = data.train_dataloader()
    trained, plain = data.finish()(dict(batch), training=True), clean.finish()(dict(batch), training=True)
    assert torch.equal(trained["parameters"], plain["parameters"])
    assert trained.keys() == plain.keys()
    changed = (trained[name] != plain[name]).flatten(1).any(dim=1)
    assert 4 < changed.sum() < 16
    data.close()
    clean.close()


def test_every_kind_of_data_can_be_degraded() -> None:
    for settings in (DataSettings(synth="kosc_4", feature="spectrum"), DataSettings(synth="dexed")):
        data: Any = make_data(dataclasses.replace(settings, degrade=0.5))
        assert data.augment.strength == 0.5
        data.close()
    with pytest.raises(UserError, match="cannot be degraded"):
        make_data(DataSettings(synth="dexed", feature="spectrum", degrade=0.5))


def test_the_epoch_of_a_batch_is_known(tmp_path: Path, finished_set: Path) -> None:
    epochs: list[Any] = []

    def watch(batch: dict[str, Any]) -> dict[str, Any]:
        epochs.append(batch["epoch"])
        return batch

    data = ClipData(finished_set, batch_size=4, num_workers=0, augment=watch)
    fit(tmp_path, tiny_module(clip_record(data), schedule="constant"), data, max_steps=12)
    assert epochs == [0] * 9 + [1] * 3


@pytest.fixture(scope="module", params=["log_mel", "log_mel_level"], ids=["stored", "computed"])
def degraded_run(request: pytest.FixtureRequest, finished_set: Path) -> Callable[..., Path]:
    def run(folder: Path, steps: int, resume: Path | None = None) -> Path:
        data: Any = make_data(
            DataSettings(folder=str(finished_set), feature=request.param, degrade=1.0, batch_size=4, workers=0)
        )
        assert isinstance(data, ClipData)
        module = tiny_module(clip_record(data), schedule="constant")
        fit(folder, module, data, callbacks=[Checkpoints(folder, every=3)], resume=resume, max_steps=steps)
        return folder / LAST

    return run


def test_a_resumed_run_hears_what_one_that_was_not_stopped_does(tmp_path: Path, degraded_run: Any) -> None:
    """An epoch has nine batches."""
    whole = load(degraded_run(tmp_path / "whole", 14))
    stopped = degraded_run(tmp_path / "stopped", 11)
    resumed = load(degraded_run(tmp_path / "stopped", 14, stopped))
    assert resumed["global_step"] == 14
    assert same(resumed["state_dict"], whole["state_dict"])
