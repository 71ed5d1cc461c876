"""AudioMAE, without its weights: keys and shapes are those of the network that facebookresearch/AudioMAE fine-tunes.

``reference/audiomae.json`` is what the proxies paper's wrapper ("audiomae_ctx8", with torchaudio 2.11's filter bank)
itself gives with the weights that `filled` makes.
"""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path, PurePosixPath

import pytest
import torch
from filling import filled, two_sounds
from promises import check_promises

from wav2patch.audio_models.audiomae import DEVIATION, MEAN, PUBLISHED, AudioMAE, Encoder
from wav2patch.audio_models.base import Pooled, Windows
from wav2patch.audio_models.kaldi import KaldiFilterBank, fft_size
from wav2patch.audio_models.weights import FOLDER_VARIABLE, read_weights
from wav2patch.errors import UserError

HERE = Path(__file__).parent
KEYS: dict[str, list[int]] = json.loads((HERE / "keys" / "audiomae.json").read_text())
REFERENCE = json.loads((HERE / "reference" / "audiomae.json").read_text())


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> AudioMAE:
    path = tmp_path_factory.mktemp("audiomae") / PUBLISHED.file
    options = Namespace(lr=2e-4, output_dir=Path("runs/1"))
    torch.save({"model": filled(KEYS), "optimizer": {"state": {}}, "epoch": 60, "args": options}, path)
    model = AudioMAE(weights=path.parent)
    path.unlink()
    return model


def test_keys_and_shapes_are_the_published_ones() -> None:
    with torch.device("meta"):
        ours = {key: list(tensor.shape) for key, tensor in Encoder().state_dict().items()}
    assert ours == {key: shape for key, shape in KEYS.items() if not key.startswith("head.")}


def test_embeddings_are_the_papers(model: AudioMAE) -> None:
    expected = REFERENCE["maximum"]
    audio = two_sounds(REFERENCE["samples"], REFERENCE["sample_rate"])
    with torch.no_grad():
        frames = model.embed(audio)
    assert frames.shape == (2, 64, 768)
    found = frames.amax(1)[:, :: expected["stride"]]
    torch.testing.assert_close(found, torch.tensor(expected["values"]), rtol=0, atol=1e-4)
    assert Pooled(model, "max").size == model.size == 768


def test_it_keeps_what_all_models_promise(model: AudioMAE, monkeypatch: pytest.MonkeyPatch) -> None:
    # Three layers of the twelve: more of the same would take four seconds.
    monkeypatch.setattr(model.encoder, "blocks", model.encoder.blocks[:3])
    monkeypatch.setattr(model, "skipped", 1)
    check_promises(Pooled(model, "max"), "audiomae_max")


def test_it_is_time_structured_at_the_papers_rate(model: AudioMAE) -> None:
    assert model.time_structured
    assert model.windows == Windows(0.16, 0.16)
    assert model.sample_rate == 44_100


@pytest.mark.parametrize("samples", [1, 1_000, 1_102, 1_103, 44_100, 451_500, 500_000])
def test_spectrograms_fill_spans_of_ten_seconds(samples: int, model: AudioMAE) -> None:
    audio = two_sounds(samples, 44_100)
    found = model.spectrogram(audio)
    spans = 2 if samples == 500_000 else 1
    assert found.shape == (2, 1024 * spans, 128)
    frames = max(0, samples - 1_102) // 441 + 1
    torch.testing.assert_close(found[:, frames:], torch.full_like(found[:, frames:], -MEAN / (2 * DEVIATION)))
    assert found.isfinite().all()


def test_every_span_is_described_for_itself(model: AudioMAE, monkeypatch: pytest.MonkeyPatch) -> None:
    spans: list[torch.Tensor] = []

    def encode(spectrogram: torch.Tensor, skipped: int) -> torch.Tensor:
        assert skipped == 8
        spans.append(spectrogram)
        return torch.arange(512.0)[None, :, None].expand(len(spectrogram), -1, 768)

    monkeypatch.setattr(model.encoder, "forward", encode)
    audio = two_sounds(500_000, 44_100)
    found = model.embed(audio)
    assert [tuple(span.shape) for span in spans] == [(4, 1024, 128)]
    assert torch.equal(torch.stack(spans).flatten(0, 1)[:2].flatten(0, 1), model.spectrogram(audio)[0])
    assert torch.equal(found[0, :, 0], torch.arange(7.0, 512.0, 8.0).repeat(2))


@pytest.mark.parametrize("sample_rate", [16_000, 44_100])
def test_the_filter_bank_is_kaldis(sample_rate: int) -> None:
    expected = REFERENCE["filter_bank"][str(sample_rate)]
    found = KaldiFilterBank(sample_rate)(two_sounds(expected["samples"], sample_rate))
    assert list(found.shape) == expected["shape"]
    torch.testing.assert_close(found[:, expected["frame"]], torch.tensor(expected["values"]), rtol=0, atol=1e-3)


def test_the_filter_bank_of_silence_is_the_floor_and_has_gradients() -> None:
    audio = torch.zeros(1, 2_000, requires_grad=True)
    energies = KaldiFilterBank(16_000)(audio)
    torch.testing.assert_close(energies, torch.full_like(energies, -15.9424), rtol=0, atol=1e-3)
    sound = two_sounds(2_000, 16_000)[:1].requires_grad_()
    (energies.sum() + KaldiFilterBank(16_000)(sound).sum()).backward()
    assert audio.grad is not None
    assert sound.grad is not None
    assert not audio.grad.any()
    assert sound.grad.isfinite().all()
    assert sound.grad.any()


@pytest.mark.parametrize(("length", "size"), [(400, 512), (512, 512), (1102, 2048)])
def test_the_transforms_size_is_the_next_power_of_two(length: int, size: int) -> None:
    assert fft_size(length) == size


def test_options_beside_the_weights_are_read_as_data(tmp_path: Path) -> None:
    path = tmp_path / PUBLISHED.file
    torch.save({"model": {"a": torch.ones(2)}, "args": Namespace(output_dir=Path("x"), seed=0)}, path)
    state, provenance = read_weights(path, PUBLISHED)
    assert list(state) == ["a"]
    assert not provenance.verified
    torch.save({"model": {"a": torch.ones(2)}, "args": PurePosixPath}, path)
    with pytest.raises(UserError, match="holds more than weights"):
        read_weights(path, PUBLISHED)


def test_absent_and_foreign_weights_get_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    with pytest.raises(UserError, match=r"audiomae needs the weights finetuned\.pth: get them from https://drive"):
        AudioMAE()
    torch.save(
        {"model": {"cls_token": torch.zeros(1, 1, 768), "decoder_pred.bias": torch.zeros(4)}}, tmp_path / "a.pth"
    )
    with pytest.raises(UserError, match="pos_embed is missing"):
        AudioMAE(weights=tmp_path / "a.pth")


@pytest.mark.parametrize("skipped", [-1, 12])
def test_some_layer_must_be_left(skipped: int) -> None:
    with pytest.raises(ValueError, match="cannot be skipped"):
        AudioMAE(skipped=skipped)
