"""OpenL3, without its weights: keys and shapes are those that torchopenl3 and (by Keras) openl3 0.4 build.

``reference/openl3.json`` is what torchopenl3 1.0.1 itself gives with the weights that `filled` makes.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from filling import filled, two_sounds
from promises import check_promises
from torch import Tensor

from wav2patch.audio_models import openl3
from wav2patch.audio_models.base import Pooled, Windows
from wav2patch.audio_models.catalogue import load_audio_model
from wav2patch.audio_models.openl3 import OpenL3, make_network, mel_basis, read_keras
from wav2patch.audio_models.weights import FOLDER_VARIABLE
from wav2patch.errors import UserError

HERE = Path(__file__).parent
KEYS: dict[str, list[int]] = json.loads((HERE / "keys" / "openl3.json").read_text())
KERAS_KEYS: dict[str, list[int]] = json.loads((HERE / "keys" / "openl3_keras.json").read_text())
REFERENCE = json.loads((HERE / "reference" / "openl3.json").read_text())
FOURIER = ("speclayer.dft_real_kernels", "speclayer.dft_imag_kernels")


def published_state() -> dict[str, Tensor]:
    state = filled({key: shape for key, shape in KEYS.items() if not key.startswith("speclayer.")})
    return {**state, "speclayer.mel_basis": mel_basis(), **{key: torch.zeros(KEYS[key]) for key in FOURIER}}


@pytest.fixture(scope="module")
def torch_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("openl3") / openl3.TORCH.file
    torch.save(published_state(), path)
    return path


@pytest.fixture(autouse=True)
def published(torch_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that the tests write counts as the published one."""
    content = torch_file.read_bytes()
    digest = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    monkeypatch.setattr(openl3, "GIT_BLOBS", (digest,))
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)


@pytest.fixture
def model(torch_file: Path) -> OpenL3:
    return OpenL3(weights=torch_file)


def write_keras(path: Path, *, layers: int = 16) -> None:
    """A file as Keras writes it, whose names count on from models that were built before."""
    names: dict[str, list[str]] = {}
    for name in KERAS_KEYS:
        names.setdefault(name.split("/")[0], []).append(name)
    state, convolution, normalisation = published_state(), 0, 0
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"input_9", *(f"{layer}_77".encode() for layer in list(names)[:layers])]
        file.create_group("input_9").attrs["weight_names"] = np.zeros(0, "S1")
        for layer, weights in list(names.items())[:layers]:
            convolution += "kernel" in weights[0]
            normalisation += "gamma" in weights[0]
            ours = f"conv2d_{convolution}" if "conv2d" in layer else f"batch_normalization_{normalisation}"
            ours = layer if layer == "audio_embedding_layer" else ours
            group = file.create_group(f"{layer}_77")
            group.attrs["weight_names"] = [name.encode() for name in weights]
            for name in weights:
                value = state[f"{ours}.{openl3.KERAS_ROLES[name.split('/')[1][:-2]]}"].numpy()
                group[name] = value.transpose(2, 3, 1, 0) if value.ndim == 4 else value
                assert list(group[name].shape) == KERAS_KEYS[name]


def test_keys_and_shapes_are_the_published_ones() -> None:
    with torch.device("meta"):
        ours = {key: list(tensor.shape) for key, tensor in make_network().state_dict().items()}
    assert ours == {key: shape for key, shape in KEYS.items() if key not in FOURIER}


@pytest.mark.parametrize("packed", [False, True])
def test_keras_files_hold_the_same_weights(packed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / openl3.UNPACKED.file
    write_keras(path)
    if packed:
        path.with_suffix(".h5.gz").write_bytes(gzip.compress(path.read_bytes(), 1))
        path = path.with_suffix(".h5.gz")
    expected = {key: tensor for key, tensor in published_state().items() if key not in FOURIER}
    found = read_keras(path)
    assert found.keys() == expected.keys()
    for key, tensor in expected.items():
        torch.testing.assert_close(found[key], tensor, rtol=0, atol=0)


def test_keras_file_is_found_and_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / openl3.UNPACKED.file
    write_keras(path)
    with pytest.raises(UserError, match=r"openl3_audio_mel256_music\.h5 as published: its SHA-256 begins"):
        OpenL3(weights=tmp_path)
    known = openl3.replace(openl3.UNPACKED, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setattr(openl3, "UNPACKED", known)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    model = OpenL3()
    assert model.provenance.path == path
    assert model.provenance.verified


@pytest.mark.parametrize("file", [openl3.TORCH.file, openl3.TORCH_512.file, "openl3_audio_mel256_music.safetensors"])
def test_other_formats_are_found_in_a_folder(file: str, torch_file: Path, tmp_path: Path) -> None:
    if file.endswith(".safetensors"):
        from safetensors.torch import save_file

        save_file(published_state(), tmp_path / file)
    else:
        (tmp_path / file).symlink_to(torch_file)
    assert OpenL3(weights=tmp_path).provenance.path == tmp_path / file


def damaged(path: Path) -> Iterator[tuple[str, Path, str]]:
    write_keras(path / "few.h5", layers=3)
    yield "few layers", path / "few.h5", "3 layers have some, not 16"
    (path / "cut.h5").write_bytes((path / "few.h5").read_bytes()[:500])
    yield "cut", path / "cut.h5", "not a whole file of Keras weights"
    (path / "cut.h5.gz").write_bytes(gzip.compress(b"nothing")[:-4])
    yield "cut gzip", path / "cut.h5.gz", "not a whole file of Keras weights"
    with h5py.File(path / "other.h5", "w") as file:
        file["x"] = 1
    yield "no Keras", path / "other.h5", "not a whole file of Keras weights"


def test_damaged_keras_files_get_a_sentence(tmp_path: Path) -> None:
    for _, path, sentence in damaged(tmp_path):
        with pytest.raises(UserError, match=sentence):
            read_keras(path)


def test_another_torch_file_is_refused(torch_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openl3, "GIT_BLOBS", ("0" * 40,))
    with pytest.raises(UserError, match=r"torchopenl3_mel256_music_6144\.pth\.tar as published: git calls it"):
        OpenL3(weights=torch_file)


def test_absent_weights_get_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"openl3 needs the weights openl3_audio_mel256_music-v0_4_0\.h5\.gz: get them"):
        OpenL3()
    with pytest.raises(UserError, match=r"not found at .*github\.com/marl/openl3"):
        OpenL3(weights=tmp_path)


@pytest.mark.parametrize("options", [{"size": 1024}, {"hop": 0.0}])
def test_impossible_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="6144 or 512"):
        OpenL3(**options)  # type: ignore[arg-type]


def test_mel_filters_are_librosas() -> None:
    peaks, heights = (torch.tensor(REFERENCE["basis"][name]) for name in ("peaks", "heights"))
    assert torch.equal(mel_basis().argmax(1), peaks)
    torch.testing.assert_close(mel_basis().amax(1), heights, rtol=1e-6, atol=0)


@pytest.mark.parametrize("size", [6144, 512])
def test_embeddings_are_torchopenl3s(size: int, torch_file: Path) -> None:
    model, expected = OpenL3(weights=torch_file, size=size), REFERENCE[str(size)]
    with torch.no_grad():
        found = model.embed(two_sounds(REFERENCE["samples"], REFERENCE["sample_rate"]))
    assert model.provenance.verified
    assert list(found.shape) == expected["shape"]
    assert model.size == size
    found, wanted = found.flatten(0, 1)[:, :: expected["stride"]], torch.tensor(expected["values"])
    torch.testing.assert_close(found[3:], wanted[3:], rtol=0, atol=5e-5)
    # Far from a clean tone the spectrogram, 160 dB deep, is the rounding of a Fourier transform: theirs is a sum.
    assert (found - wanted)[:3].square().mean().sqrt() < 3e-3 * expected["scale"]


@pytest.mark.parametrize("name", ["openl3", "openl3_512_max"])
def test_it_keeps_what_all_models_promise(name: str, torch_file: Path) -> None:
    check_promises(load_audio_model(name, weights=torch_file), name)


def test_it_is_time_structured_and_can_be_pooled(model: OpenL3) -> None:
    assert model.time_structured
    assert model.windows == Windows(1.0, 0.5)
    assert Pooled(model, "max").size == 6144


@pytest.mark.parametrize(("samples", "count"), [(1, 1), (24_000, 1), (24_001, 2), (48_000, 2), (192_000, 8)])
def test_windows_are_centred_on_multiples_of_the_hop(samples: int, count: int, model: OpenL3) -> None:
    audio = torch.arange(1.0, samples + 1)[None]
    windows = model.cut(audio)
    assert windows.shape == (1, count, 48_000)
    assert not windows[0, 0, :24_000].any()
    for number in range(1, count):
        assert windows[0, number, 24_000] == (number * 24_000 + 1 if number * 24_000 < samples else 0)


def test_level_leaves_no_trace_and_silence_is_finite(model: OpenL3) -> None:
    window = torch.cat([two_sounds(48_000, 48_000)[1:], torch.zeros(1, 48_000)])
    spectrogram = model.network[0](torch.cat([window, 0.01 * window[:1]]))
    assert spectrogram.shape == (3, 1, 256, 199)
    assert spectrogram.amax() == 0
    assert spectrogram.amin() >= -80
    assert not spectrogram[1].any()
    torch.testing.assert_close(spectrogram[2], spectrogram[0], rtol=0, atol=1e-3)


def test_gradients_reach_the_audio_even_of_half_silence(model: OpenL3) -> None:
    audio = two_sounds(12_000, 48_000)[:1].clone()
    audio[:, 6_000:] = 0
    audio.requires_grad_()
    model.embed(audio).sum().backward()
    assert audio.grad is not None
    assert audio.grad.isfinite().all()
    assert audio.grad[:, :6_000].any()
    assert not any(parameter.requires_grad for parameter in model.parameters())
