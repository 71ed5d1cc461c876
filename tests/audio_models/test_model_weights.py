"""Files of weights: what is loaded, and the one sentence for everything else."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="audio models need PyTorch: pip install 'wav2patch[audio-models]'")

from filling import filled  # noqa: E402 - needs PyTorch

from wav2patch.audio_models.weights import (  # noqa: E402
    Published,
    find_weights,
    load_network,
    load_published,
    read_weights,
)
from wav2patch.errors import UserError  # noqa: E402

PUBLISHED = Published("net.pt", "https://example.org/net.pt", "MIT", inside=("model",))


def network() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))


def state() -> dict[str, torch.Tensor]:
    return filled({key: tensor.shape for key, tensor in network().state_dict().items()})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "net.pt"


def load(path: Path | str | None, published: Published = PUBLISHED) -> Any:
    return load_published("toy", network, published, path)


@pytest.mark.parametrize("wrapped", [False, True])
def test_weights_are_loaded_frozen_and_no_random_number_is_drawn(path: Path, wrapped: bool) -> None:
    weights = state()
    torch.save({"model": weights, "epoch": 3} if wrapped else weights, path)
    before = torch.random.get_rng_state()
    loaded, provenance = load(path)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(tensor, weights[key]) for key, tensor in loaded.state_dict().items())
    assert not loaded.training
    assert not any(weight.requires_grad for weight in loaded.parameters())
    assert provenance.path == path
    assert len(provenance.sha256) == 64
    assert not provenance.verified


def test_half_precision_becomes_single(path: Path) -> None:
    torch.save({key: t.half() if t.is_floating_point() else t for key, t in state().items()}, path)
    loaded, _ = load(path)
    assert loaded.state_dict()["0.weight"].dtype == torch.float32


def test_safetensors_are_read_too(path: Path) -> None:
    pytest.importorskip("safetensors")
    from safetensors.torch import save_file

    save_file(state(), path.with_suffix(".safetensors"))
    loaded, _ = load(path.parent)
    assert torch.equal(loaded.state_dict()["0.weight"], state()["0.weight"])
    path.with_suffix(".safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0not a header")
    with pytest.raises(UserError, match=r"not a whole safetensors file\.$"):
        load(path.parent)


@pytest.mark.parametrize(
    ("published", "converted"),
    [
        ("net.pt", "net.safetensors"),
        ("swa.476-a.pt", "swa.476-a.safetensors"),
        ("net-v0_4_0.h5.gz", "net-v0_4_0.safetensors"),
        ("net.pth.tar", "net.safetensors"),
    ],
)
def test_a_folder_is_searched_for_conversions_too(published: str, converted: str, tmp_path: Path) -> None:
    (tmp_path / converted).touch()
    assert find_weights("toy", Published(published, "u", "MIT"), tmp_path) == tmp_path / converted
    assert find_weights("toy", PUBLISHED, tmp_path, also=(Published(published, "u", "MIT"),)) == tmp_path / converted
    (tmp_path / published).touch()
    assert find_weights("toy", Published(published, "u", "MIT"), tmp_path) == tmp_path / published


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_is_mapped_if_it_can_be(path: Path, zipped: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save(state(), path, _use_new_zipfile_serialization=zipped)
    read, mapped = torch.load, []
    monkeypatch.setattr(torch, "load", lambda *a, mmap, **o: mapped.append(mmap) or read(*a, mmap=mmap, **o))
    loaded, _ = load(path)
    assert mapped == [zipped]
    path.unlink()
    assert all(torch.equal(tensor, state()[key]) for key, tensor in loaded.state_dict().items())


def test_the_checksum_is_verified_where_it_is_known(path: Path) -> None:
    torch.save(state(), path)
    _, provenance = load(path)
    for known in (provenance.sha256, provenance.sha256[:8]):
        assert load(path, Published("net.pt", "u", "MIT", known))[1].verified
    with pytest.raises(
        UserError, match=r"net\.pt is not net\.pt as published: its SHA-256 begins with \w{8}, not with 0+;"
    ):
        load(path, Published("net.pt", "u", "MIT", "0" * 64))


@pytest.mark.parametrize("place", [None, "folder", "variable", "empty variable", "elsewhere"])
def test_missing_weights_say_what_to_get(place: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAV2PATCH_MODELS", raising=False)
    if place == "variable":
        monkeypatch.setenv("WAV2PATCH_MODELS", str(tmp_path))
    if place == "empty variable":
        monkeypatch.setenv("WAV2PATCH_MODELS", "")
    given = {"folder": tmp_path, "elsewhere": tmp_path / "no.pt"}.get(place or "")
    with pytest.raises(UserError) as caught:
        load(given)
    sentence = str(caught.value)
    assert "toy needs the weights net.pt" in sentence
    assert "get them from https://example.org/net.pt (licence: MIT)" in sentence
    assert "weights=" in sentence
    assert "WAV2PATCH_MODELS" in sentence
    assert ("not found at" in sentence) == (place not in (None, "empty variable"))
    assert "\n" not in sentence


def test_the_folder_of_weights_can_be_in_the_environment(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save(state(), path)
    monkeypatch.setenv("WAV2PATCH_MODELS", str(path.parent))
    assert find_weights("toy", PUBLISHED, None) == path


def spoil(weights: dict[str, torch.Tensor], how: str) -> dict[str, torch.Tensor]:
    if how == "missing":
        del weights["0.bias"]
    elif how == "foreign":
        weights["2.weight"] = torch.zeros(1)
    else:
        weights["0.weight"] = torch.zeros(2, 4)
    return weights


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("missing", r"are not the weights of this model: 0\.bias is missing\.$"),
        ("foreign", r"are not the weights of this model: it has no 2\.weight\.$"),
        ("shape", r"are not the weights of this model: 0\.weight has the shape \(2, 4\), not \(2, 3\)\.$"),
    ],
)
def test_other_weights_are_told_by_their_first_key(path: Path, how: str, sentence: str) -> None:
    torch.save(spoil(state(), how), path)
    with pytest.raises(UserError, match=sentence):
        load(path)


def test_keys_may_be_left_aside() -> None:
    weights = {**state(), "head.weight": torch.zeros(1)}
    load_network(network, weights, "here", ignore=("head.",))
    with pytest.raises(UserError, match="it has no head"):
        load_network(network, weights, "here")


class Malice:
    """What a pickle can do: call anything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[..., None], tuple[Path]]:
        return os.rmdir, (self.folder,)


@pytest.mark.parametrize("plain", [False, True])
def test_a_file_with_a_program_in_it_is_not_opened(path: Path, plain: bool) -> None:
    victim = path.parent / "victim"
    victim.mkdir()
    content = {**state(), "0.weight": Malice(victim)}
    if plain:
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path)
    with pytest.raises(UserError, match="holds more than weights and is not opened"):
        load(path)
    assert victim.is_dir()


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "flipped"])
def test_a_damaged_file_is_one_sentence(path: Path, damage: str) -> None:
    torch.save(state(), path)
    content = path.read_bytes()
    damaged = {
        "cut": content[: len(content) // 2],
        "empty": b"",
        "text": b"404: Not Found",
        "flipped": content[:200] + bytes(200) + content[400:],
    }
    path.write_bytes(damaged[damage])
    with pytest.raises(UserError, match=r"net\.pt from https://example\.org/net\.pt\.$"):
        load(path)


@pytest.mark.parametrize("content", [[torch.zeros(1)], {"a": 1}, {}], ids=["list", "number", "empty"])
def test_a_file_without_weights_is_one_sentence(path: Path, content: object) -> None:
    torch.save(content, path)
    with pytest.raises(UserError, match="holds no weights"):
        read_weights(path, PUBLISHED)
