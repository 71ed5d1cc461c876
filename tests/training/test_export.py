from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import SAMPLE_RATE, TINY, SameNoise, tiny_trained

from wav2patch.errors import UserError
from wav2patch.notes import Note
from wav2patch.training import export as exporting
from wav2patch.training.export import export
from wav2patch.training.saving import Trained, load_trained
from wav2patch.weights.card import Card
from wav2patch.weights.graphs import OnnxGraph
from wav2patch.weights.ready import ReadyModel

_NOTE = Note(57, 80, 0.0, 0.3)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    return np.random.default_rng([3, 1]).normal(0, 0.1, (1, 9_000)).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("kind", TINY)
def test_a_model_proposes_the_same_without_pytorch(
    tmp_path: Path, kind: str, sound: np.ndarray, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    trained = tiny_trained(kind)
    with caplog.at_level(logging.WARNING):
        made = export(trained, tmp_path / "model")
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert made.graphs
    assert max(graph.difference for graph in made.graphs.values()) < 1e-5
    # What the exporter notes of the machine must not be handed on.
    assert all(b"/" + b"home" not in one.read_bytes() and b".py" not in one.read_bytes() for one in _onnx(made.path))
    ready, heard = ReadyModel(tmp_path / "model"), torch.from_numpy(trained.hearing(sound, SAMPLE_RATE))
    told = torch.tensor([_NOTE.pitch, _NOTE.velocity, _NOTE.onset, _NOTE.duration])
    for n in (1, 5, 14):
        wanted = trained.inverter.propose(heard, n, torch.Generator().manual_seed(2), notes=told).numpy()
        found = ready.model.propose(heard.numpy(), _NOTE, n, SameNoise(2))  # type: ignore[arg-type]
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, atol=2e-5)


def _onnx(folder: Path) -> list[Path]:
    return list(folder.glob("*.onnx"))


@pytest.fixture(scope="module")
def small() -> Trained:
    return tiny_trained("regression", "kosc_4", note="none")


@pytest.mark.slow
def test_half_precision_takes_half_the_room(tmp_path: Path, sound: np.ndarray) -> None:
    settings = {**TINY["regression"], "hidden": 256}
    trained = tiny_trained("regression", "kosc_4", note="none", settings=settings)
    whole, half = (export(trained, tmp_path / str(one), half=one) for one in (False, True))
    sizes = [(one.path / "network.onnx").stat().st_size for one in (whole, half)]
    assert sizes[1] < 0.6 * sizes[0]
    assert 0 < half.graphs["network"].difference < 1e-2
    found = [ReadyModel(one).propose(sound, SAMPLE_RATE, None, 1, SameNoise(0)).patches for one in (whole, half)]  # type: ignore[arg-type]
    np.testing.assert_allclose(*found, atol=1e-2)
    assert not np.array_equal(*found)


@pytest.mark.slow
def test_a_model_folder_is_exported_again_with_its_card(tmp_path: Path, small: Trained) -> None:
    export(small, tmp_path / "model", card=Card(data="forty sounds"))
    again = load_trained(tmp_path / "model")
    assert "forty sounds" in (tmp_path / "model" / "card.md").read_text()
    export(again, tmp_path / "model", weights=False)
    assert "forty sounds" in (tmp_path / "model" / "card.md").read_text()
    assert not (tmp_path / "model" / "model.safetensors").exists()
    with pytest.raises(UserError, match="only graphs"):
        load_trained(tmp_path / "model")


def test_a_graph_that_differs_is_refused(tmp_path: Path, small: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    run = OnnxGraph.__call__
    monkeypatch.setattr(OnnxGraph, "__call__", lambda self, **inputs: tuple(one + 0.1 for one in run(self, **inputs)))
    with pytest.raises(UserError, match="the graph network differs from the model by 0"):
        export(small, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_cannot_be_exported_is_one_sentence(
    tmp_path: Path, small: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise torch.onnx.OnnxExporterError("no such operator")

    monkeypatch.setattr(exporting.torch.onnx, "export", refuse)
    with pytest.raises(UserError, match="no such operator"):
        export(small, tmp_path / "model")
