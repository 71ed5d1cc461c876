"""Embeddings that are stored in data sets: the same whatever computes them, and no row without the weights."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

torch = pytest.importorskip("torch", reason="audio models need PyTorch: pip install 'wav2patch[audio-models]'")
pytest.importorskip("h5py", reason="data sets need HDF5: pip install 'wav2patch[data]'")

from filling import filled, two_sounds  # noqa: E402 - needs PyTorch
from model_files import keys  # noqa: E402

from wav2patch.audio_models import stored  # noqa: E402
from wav2patch.audio_models.catalogue import AUDIO_MODELS  # noqa: E402
from wav2patch.audio_models.stored import Embedding  # noqa: E402
from wav2patch.datasets.recipes.plan import Plan, load_plan, make_plan  # noqa: E402
from wav2patch.datasets.recipes.recipe import shard_name  # noqa: E402
from wav2patch.datasets.recipes.wishes import Wishes  # noqa: E402
from wav2patch.datasets.shards.generate import generate  # noqa: E402
from wav2patch.datasets.shards.shard import Shard  # noqa: E402
from wav2patch.datasets.storage.base import open_storage  # noqa: E402
from wav2patch.errors import UserError  # noqa: E402
from wav2patch.rendering.inline import InlineRenderer  # noqa: E402
from wav2patch.rendering.processes import ProcessRenderer  # noqa: E402
from wav2patch.resampling import resample  # noqa: E402
from wav2patch.synths.catalogue import load_synth  # noqa: E402

NAMES = ("mel128", "mn04_mel", "openl3_512")
SHAPES = {"mel128": (128,), "mn04_mel": (320,), "openl3_512": (2, 512)}
RATE = 22_050
WISHES = Wishes(
    count=5, shard_rows=3, prior="uniform", notes="C4", length=0.6, sample_rate=RATE, seed=4, features=NAMES
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder of weights, in the format that has no published checksum."""
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("models")
    save_file(filled(keys("mn04"), (0.33, 0.66)), folder / "mn04_as_mAP_432.safetensors")
    openl3 = {key: shape for key, shape in keys("openl3").items() if not key.startswith("speclayer.dft_")}
    save_file(filled(openl3), folder / "openl3_audio_mel256_music-v0_4_0.safetensors")
    return folder


@pytest.fixture(autouse=True)
def models(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAV2PATCH_MODELS", str(folder))


def plan_for(wishes: Wishes = WISHES) -> Plan:
    synth = load_synth(wishes.synth)
    return make_plan(wishes, synth, InlineRenderer(synth))


def make(place: Path, workers: int | None) -> dict[str, bytes]:
    plan = plan_for()
    renderer = InlineRenderer(plan.synth) if workers is None else ProcessRenderer(plan.synth, workers)
    with contextlib.closing(renderer):
        assert generate(plan, open_storage(place), renderer).failure is None
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in sorted(place.rglob("*.*"))}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> tuple[Path, dict[str, bytes]]:
    place = tmp_path_factory.mktemp("sets") / "one"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WAV2PATCH_MODELS", str(folder))
        return place, make(place, 1)


@pytest.mark.parametrize("workers", [None, 2], ids=["in line", "two processes"])
def test_what_renders_changes_no_byte(made: tuple[Path, dict[str, bytes]], workers: int | None, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert make(tmp_path / "again", workers) == made[1]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_stored_is_what_the_model_gives(name: str, made: tuple[Path, dict[str, bytes]]) -> None:
    model = Embedding(name)._model()
    with Shard(made[0] / shard_name(1)) as shard:
        assert shard.fields[f"features/{name}"].shape == SHAPES[name]
        clips = [shard.read("audio", row).astype(np.float32) for row in range(len(shard))]
        vectors = np.stack([shard.read(f"features/{name}", row) for row in range(len(shard))])
    sounds = np.stack([resample(clip.mean(0), RATE, model.sample_rate) for clip in clips])
    with torch.no_grad():
        expected = model.embed(torch.from_numpy(sounds)).numpy()
    assert len(np.unique(vectors.reshape(len(vectors), -1), axis=0)) == len(vectors) == 2
    np.testing.assert_allclose(vectors, expected, rtol=2e-3, atol=2e-3)


def test_a_set_says_what_it_needs_before_anything_is_rendered(
    made: tuple[Path, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WAV2PATCH_MODELS")
    monkeypatch.setattr(InlineRenderer, "map", lambda *_: pytest.fail("something was rendered"))
    for begin in (plan_for, lambda: load_plan(open_storage(made[0]))):
        with pytest.raises(UserError, match=r"^mn04_mel needs the weights mn04_as_mAP_432\.pt: get them from https"):
            begin()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("channels", "seconds"), [(1, 0.6), (2, 1e-4)])
def test_shapes_are_known_before(name: str, channels: int, seconds: float) -> None:
    samples = max(1, round(seconds * RATE))
    clip = two_sounds(samples, RATE).numpy()[:channels]
    found = Embedding(name)(clip, RATE)
    assert found.dtype == np.float32
    assert found.shape == Embedding(name).shape(channels, samples, RATE)
    assert found.flags.owndata
    assert np.isfinite(found).all()


def test_a_clip_is_heard_by_itself_as_the_mean_of_its_channels() -> None:
    feature, clip = Embedding("mn04_mel"), two_sounds(RATE // 2, RATE).numpy()
    first = feature(clip, RATE)
    feature(clip[:, ::-1], RATE)
    assert_array_equal(feature(clip, RATE), first)
    assert_array_equal(feature(np.asfortranarray(clip), RATE), first)
    assert_array_equal(feature(clip.mean(0, keepdims=True), RATE), first)
    shifted = np.empty(clip.size + 1, np.float32)[1:].reshape(clip.shape)
    shifted[:] = clip
    assert_array_equal(feature(shifted, RATE), first)
    with pytest.raises(ValueError, match=r"\(channels, samples\)"):
        feature(clip[0], RATE)


def test_it_travels_without_its_model_and_loads_it_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    feature, loads = Embedding("mn04_mel"), []
    feature.prepare()
    there = pickle.dumps(feature)
    assert len(there) < 1000
    stored._load.cache_clear()
    load: Callable[..., Any] = stored.load_audio_model
    monkeypatch.setattr(
        stored, "load_audio_model", lambda *args, **options: loads.append(args) or load(*args, **options)
    )
    # Another process may not have the variable, and one on another machine not the folder.
    monkeypatch.delenv("WAV2PATCH_MODELS")
    for _ in range(2):
        pickle.loads(there)(np.zeros((1, 100), np.float32), RATE)
    assert loads == [("mn04_mel",)]
    monkeypatch.setenv("WAV2PATCH_MODELS", str(folder))
    elsewhere = Embedding("mn04_mel", str(tmp_path / "nowhere"))
    assert elsewhere == feature
    elsewhere.prepare()


@pytest.mark.parametrize("name", [name for name, entry in AUDIO_MODELS.items() if entry.size is not None])
def test_most_shapes_need_no_pytorch(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "load_audio_model", lambda *_, **__: pytest.fail("a model was loaded"))
    assert Embedding(name).shape(2, 44_100, 44_100) == (AUDIO_MODELS[name].size,)
