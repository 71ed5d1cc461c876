"""Models that choose from the patches of sounds that they have heard."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from shard_sets import make_recipe, make_set
from tiny_models import TINY, tiny_trained

from wav2patch.datasets.views.view import View, open_view
from wav2patch.errors import UserError
from wav2patch.notes import Note
from wav2patch.training.export import export
from wav2patch.training.heard_sounds import keep_sounds
from wav2patch.training.reading_settings import read_settings
from wav2patch.training.run import fit
from wav2patch.training.saving import Trained, load_trained
from wav2patch.weights.model import OnnxModel


@pytest.fixture(scope="module", params=["none", "given"])
def checkpoint(finished_set: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Of a pair that has hardly learnt anything."""
    values = {
        "out": str(tmp_path_factory.mktemp("runs")),
        "note": request.param,
        "inverter": TINY["contrastive"],
        "data": {"folder": str(finished_set), "feature": "log_mel", "batch_size": 8, "workers": 0},
        "trainer": {"max_steps": 2, "val_every": 2, "accelerator": "cpu"},
        "callbacks": {"audio": 0, "parameter_errors": 0},
        "logging": {"tensorboard": False},
    }
    return fit(read_settings(values)).last


@pytest.fixture
def view(finished_set: Path) -> View:
    return open_view(finished_set / "train.h5")


@pytest.fixture
def pair(checkpoint: Path) -> Trained:
    return load_trained(checkpoint, empty=True)


def heard(pair: Trained, view: View, row: int) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Features and, where the model is told it, the note of one row."""
    features = view.read("features/log_mel", slice(row, row + 1)).astype(np.float32)
    notes = torch.from_numpy(view.read("notes", slice(row, row + 1)).astype(np.float32))
    told = notes if pair.record.note == "given" else None
    return torch.from_numpy(features if pair.standard is None else pair.standard(features)), told


@pytest.mark.parametrize("row", [0, 17, 36])
def test_a_sound_finds_its_own_patch(pair: Trained, view: View, row: int) -> None:
    told: list[tuple[int, int]] = []
    kept = keep_sounds(pair, view, report=lambda done, of: told.append((done, of)))
    (found,) = kept.inverter.propose_batch(*heard(kept, view, row), 1)[0]
    wanted = view.read("parameters", slice(row, row + 1))[0] * 2.0 - 1.0
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-6)
    assert told[-1] == (len(view), len(view))
    assert kept.record.inverter["draws"] == len(view)


def test_no_more_are_kept_than_are_wanted(pair: Trained, view: View) -> None:
    kept = keep_sounds(pair, view, 5)
    wanted = np.concatenate([view.read("parameters", slice(0, 5))] * 2).astype(np.float32) * 2.0 - 1.0
    found = kept.inverter.propose_batch(*heard(kept, view, 3), 10)[0].numpy()
    np.testing.assert_allclose(np.sort(found, axis=0), np.sort(wanted, axis=0), atol=1e-6)


@pytest.mark.slow
def test_they_go_where_pytorch_is_not(pair: Trained, view: View, tmp_path: Path) -> None:
    kept = keep_sounds(pair, view)
    export(kept, tmp_path / "model", weights=False)
    sound, told = heard(kept, view, 8)
    note = None if told is None else Note(60, int(told[0, 1]), float(told[0, 2]), float(told[0, 3]))
    found = OnnxModel(tmp_path / "model").propose(sound[0].numpy(), note, 3, np.random.default_rng(0))
    wanted = kept.inverter.propose_batch(sound, told, 3)[0].numpy()
    np.testing.assert_allclose(found * 2.0 - 1.0, wanted, atol=1e-5)


def test_a_model_that_makes_up_its_own_takes_none(view: View) -> None:
    with pytest.raises(UserError, match="makes up its own patches"):
        keep_sounds(tiny_trained("regression"), view)


def test_sounds_of_another_synth_are_refused(pair: Trained, tmp_path: Path) -> None:
    make_set(tmp_path, make_recipe(synth="ksin_8"))
    with pytest.raises(UserError, match="patches of ksin_8"):
        keep_sounds(pair, open_view(tmp_path))


@pytest.mark.parametrize("recipe", [{"features": ()}, {"length": 0.2}])
def test_sounds_that_it_does_not_hear_are_refused(pair: Trained, tmp_path: Path, recipe: dict[str, object]) -> None:
    make_set(tmp_path, make_recipe(**recipe))  # pyright: ignore[reportArgumentType]
    with pytest.raises(UserError, match="which the model hears"):
        keep_sounds(pair, open_view(tmp_path))


def test_a_record_says_how_many_there_are(pair: Trained, view: View) -> None:
    kept = keep_sounds(pair, view, 7)
    assert kept.record == replace(pair.record, inverter={**pair.record.inverter, "draws": 7})
