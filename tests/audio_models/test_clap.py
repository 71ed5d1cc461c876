"""CLAP, without its weights: keys and shapes are those of the audio tower that laion_clap builds ("HTSAT-base").

``reference/clap.json`` is what laion_clap itself gives with the weights that `filled` makes.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from filling import filled, two_sounds
from promises import check_promises
from torch import Tensor

from wav2patch.audio_models import clap
from wav2patch.audio_models.clap import CHECKPOINTS, OTHER_TOWER, SPAN, AudioTower, Clap, fill_span
from wav2patch.audio_models.htsat import UNUSED, as_image
from wav2patch.audio_models.weights import FOLDER_VARIABLE, read_weights
from wav2patch.errors import UserError
from wav2patch.metrics.spectrograms import mel_filters

HERE = Path(__file__).parent
KEYS: dict[str, list[int]] = json.loads((HERE / "keys" / "clap.json").read_text())
REFERENCE = json.loads((HERE / "reference" / "clap.json").read_text())
SKIPPED = tuple(f"audio_branch.{prefix}" for prefix in UNUSED)
# As laion_clap's model.py names them.
WORDS = (
    "text_branch.pooler.dense.bias",
    "text_projection.0.bias",
    "audio_transform.sequential.0.bias",
    "logit_scale_a",
)


def offsets() -> Tensor:
    """Which row of the table of biases belongs to two places in a window of 8 × 8."""
    row, column = torch.arange(64) // 8, torch.arange(64) % 8
    return (row[:, None] - row + 7) * 15 + (column[:, None] - column + 7)


def masks(windows: int) -> Tensor:
    """What keeps apart, in the windows of a shifted grid, tokens that were not neighbours."""
    side = 8 * int(windows**0.5)
    region = torch.zeros(side)
    region[-8:], region[-4:] = 1, 2
    label = (3 * region[:, None] + region).unflatten(1, (-1, 8)).unflatten(0, (-1, 8)).transpose(1, 2).reshape(-1, 64)
    return torch.where(label[:, None] == label[:, :, None], 0.0, -100.0)


def constant(key: str, shape: list[int]) -> Tensor | None:
    """What laion_clap computes and then stores with the weights; None for what it learns."""
    if key.endswith("relative_position_index"):
        return offsets()
    if key.endswith("attn_mask"):
        return masks(shape[0])
    if key.endswith("melW"):
        return torch.from_numpy(mel_filters(48_000, 1024, 64, 50, 14_000).T.copy())
    return torch.zeros(shape) if key.startswith(SKIPPED) else None


def published_state() -> dict[str, Tensor]:
    constants = {key: value for key, shape in KEYS.items() if (value := constant(key, shape)) is not None}
    learned = filled({key: shape for key, shape in KEYS.items() if key not in constants})
    return {
        f"module.{key}": value
        for key, value in {**learned, **constants, **dict.fromkeys(WORDS, torch.zeros(1))}.items()
    }


def write_checkpoint(path: Path, state: dict[str, Tensor], loss: object) -> None:
    """A file as old PyTorch with NumPy 1 wrote it: the new names of NumPy are in its place."""
    content = io.BytesIO()
    torch.save(
        {"epoch": 15, "name": "run", "state_dict": state, "loss": loss}, content, _use_new_zipfile_serialization=False
    )
    path.write_bytes(content.getvalue().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n", 1))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Clap:
    published = CHECKPOINTS["music_speech"]
    path = tmp_path_factory.mktemp("clap") / published.file
    write_checkpoint(path, published_state(), np.float64(1.5))
    model = Clap(weights=path.parent, checkpoint="music_speech", name="clap_music_speech")
    path.unlink()
    return model


def test_keys_and_shapes_are_the_published_ones() -> None:
    with torch.device("meta"):
        ours = {key: list(tensor.shape) for key, tensor in AudioTower().state_dict().items()}
    assert ours == {key: shape for key, shape in KEYS.items() if not key.startswith(SKIPPED)}


def test_only_the_audio_tower_is_taken() -> None:
    assert not any(key.startswith(OTHER_TOWER) for key in KEYS)
    assert all(key.startswith(OTHER_TOWER) for key in WORDS)


@pytest.fixture(scope="module")
def branch_values(model: Clap) -> Tensor:
    with torch.no_grad():
        audio = fill_span(two_sounds(REFERENCE["samples"], REFERENCE["sample_rate"]))
        return model.tower.audio_branch(model.spectrogram(audio))


def test_the_transformer_is_laion_claps(branch_values: Tensor) -> None:
    expected = REFERENCE["branch"]
    found = branch_values[:, :: expected["stride"]]
    torch.testing.assert_close(found, torch.tensor(expected["values"]), rtol=0, atol=5e-5)
    assert branch_values.shape == (2, 1024)
    assert (branch_values[0] - branch_values[1]).std() > 0.05


def test_embeddings_are_laion_claps(model: Clap, branch_values: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model.tower.audio_branch, "forward", lambda power: branch_values)
    found = model.embed(two_sounds(REFERENCE["samples"], REFERENCE["sample_rate"]))
    wanted = torch.tensor(REFERENCE["values"])
    torch.testing.assert_close(found[:, :: REFERENCE["stride"]], wanted, rtol=0, atol=5e-6)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))
    assert found.shape == (2, model.size) == (2, 512)
    assert not model.time_structured


def test_it_keeps_what_all_models_promise(model: Clap) -> None:
    check_promises(model, "clap_music_speech")


def test_long_sounds_are_the_mean_of_their_spans(model: Clap, monkeypatch: pytest.MonkeyPatch) -> None:
    def towards(power: Tensor) -> Tensor:
        loud = power.mean((1, 2)) > power.mean() * 0.5
        return torch.eye(512)[loud.long()]

    monkeypatch.setattr(model.tower, "forward", towards)
    audio = torch.cat([0.5 * two_sounds(SPAN, 48_000)[1:], torch.zeros(1, 5)], dim=1)
    found = model.embed(audio)
    torch.testing.assert_close(found[0, :2], torch.full((2,), 0.5**0.5))


@pytest.mark.parametrize("samples", [1, 7, SPAN // 2, SPAN // 2 + 1, SPAN])
def test_short_sounds_are_repeated_whole(samples: int) -> None:
    audio = torch.arange(1.0, samples + 1)[None]
    filled_span = fill_span(audio)
    times = SPAN // samples
    assert filled_span.shape == (1, SPAN)
    assert torch.equal(filled_span[0, : times * samples], audio[0].repeat(times))
    assert not filled_span[0, times * samples :].any()


def test_quarters_of_the_time_lie_above_each_other() -> None:
    bands = torch.arange(64.0)[:, None] + torch.linspace(0, 1, 1001)
    image = as_image(bands[None])
    assert image.shape == (1, 1, 256, 256)
    expected = torch.arange(64.0)[:, None] + torch.linspace(0, 1, 1024)
    torch.testing.assert_close(
        image[0, 0].unflatten(0, (4, 64)).transpose(0, 1).flatten(1), expected, rtol=0, atol=1e-3
    )


def test_gradients_reach_the_audio_even_of_silence(model: Clap, monkeypatch: pytest.MonkeyPatch) -> None:
    branch = model.tower.audio_branch
    monkeypatch.setattr(model.tower, "forward", lambda power: branch.logmel_extractor(power).mean(2))
    audio = two_sounds(48_000, 48_000).clone()
    audio[1] = 0
    audio.requires_grad_()
    model.embed(audio).sum().backward()
    assert audio.grad is not None
    assert audio.grad.isfinite().all()
    assert audio.grad[0].any()
    assert not any(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("loss", [np.float64(0.5), 0.5])
def test_numbers_beside_the_weights_are_read_as_data(loss: object, tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    write_checkpoint(path, {"module.x": torch.ones(1)}, loss)
    state, _ = read_weights(path, CHECKPOINTS["music_speech"])
    assert list(state) == ["module.x"]


def test_weights_of_another_network_get_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.pt"
    write_checkpoint(path, {"module.audio_branch.bn0.weight": torch.ones(64)}, 1.0)
    with pytest.raises(UserError, match="not the weights of this model"):
        Clap(weights=path, checkpoint="music_speech")
    with pytest.raises(UserError, match=r"is not music_audioset_epoch_15_esc_90\.14\.pt as published"):
        Clap(weights=path)


@pytest.mark.parametrize("checkpoint", CHECKPOINTS)
def test_absent_weights_get_a_sentence(checkpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    with pytest.raises(UserError, match=r"clap needs the weights music_\w+\.\d\d\.pt: get them from https://hugging"):
        Clap(checkpoint=checkpoint)


def test_unknown_checkpoints_are_refused() -> None:
    with pytest.raises(ValueError, match="music_speech_audioset, not 630k"):
        clap.Clap(checkpoint="630k")
