from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from small_model import QUIET, make_trainer
from tiny_models import SAMPLE_RATE, TINY, tiny_inverter, tiny_record, tiny_standard, tiny_trained

from wav2patch.errors import UserError
from wav2patch.notes import Note
from wav2patch.training.device_features import Standardize
from wav2patch.training.module import InverterModule
from wav2patch.training.saving import ENTRY, Trained, load_trained, save_model

pytestmark = [pytest.mark.filterwarnings(words) for words in QUIET]


def _save_checkpoint(path: Path, trained: Trained) -> Path:
    """As Lightning writes one."""
    module = InverterModule(trained.inverter, trained.record)
    trainer = make_trainer(path.parent)
    trainer.strategy.connect(module)
    trainer.save_checkpoint(path)
    if trained.standard is not None:
        checkpoint = torch.load(path, weights_only=True)
        finish = Standardize(trained.standard.mean, np.where(trained.standard.scale == 1, 0, trained.standard.scale))
        checkpoint[ENTRY]["standard"] = {"mean": finish.mean, "scale": finish.scale}
        torch.save(checkpoint, path)
    return path


def _save_folder(path: Path, trained: Trained) -> Path:
    return save_model(path, trained.inverter, trained.record, trained.standard)


@pytest.mark.parametrize("save", [_save_checkpoint, _save_folder])
@pytest.mark.parametrize("kind", TINY)
def test_what_is_loaded_is_what_was_saved(tmp_path: Path, kind: str, save: Callable[[Path, Trained], Path]) -> None:
    before = tiny_trained(kind)
    after = load_trained(save(tmp_path / "model", before))
    assert after.record.to_dict() == before.record.to_dict()
    assert not after.inverter.training
    sound = np.random.default_rng([3, 1]).normal(0, 0.1, (1, 5_000)).astype(np.float32)
    proposed = [
        one.propose(sound, SAMPLE_RATE, Note(), 3, torch.Generator().manual_seed(1)).patches for one in (before, after)
    ]
    np.testing.assert_array_equal(*proposed)
    assert proposed[0].shape == (3, len(before.synth.space))


def test_a_folder_holds_what_people_and_programs_need(tmp_path: Path, dexed: Any) -> None:
    _save_folder(tmp_path / "model", tiny_trained("regression"))
    names = {path.name for path in (tmp_path / "model").iterdir()}
    assert names == {"config.yaml", "model.safetensors", "space.json", "stats.npz", "card.md"}
    assert dexed.space.digest in (tmp_path / "model" / "space.json").read_text()


def test_notes_that_are_predicted_come_along(tmp_path: Path) -> None:
    trained = load_trained(_save_folder(tmp_path / "model", tiny_trained("regression", note="predicted")))
    found = trained.propose(np.zeros((1, 100), np.float32), SAMPLE_RATE, None, 2)
    assert found.notes is not None
    assert len(found.notes) == len(found.patches) == 2


def test_a_model_that_is_told_wants_a_note(tmp_path: Path) -> None:
    trained = load_trained(_save_folder(tmp_path / "model", tiny_trained("regression")))
    with pytest.raises(UserError, match="told the note"):
        trained.propose(np.zeros((1, 100), np.float32), SAMPLE_RATE, None, 1)


def test_steps_are_known_of_a_checkpoint(tmp_path: Path) -> None:
    path = _save_checkpoint(tmp_path / "one.ckpt", tiny_trained("regression"))
    assert load_trained(path).steps == 0
    assert load_trained(_save_folder(tmp_path / "model", tiny_trained("regression"))).steps is None


def test_nothing_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no .*best\.ckpt"):
        load_trained(tmp_path / "best.ckpt")
    with pytest.raises(UserError, match="no model folder"):
        load_trained(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"words", pickle.dumps({"a": 1}), pickle.dumps(Path("x")), b"PK\x03\x04 half a zip"],
)
def test_what_is_no_checkpoint_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.ckpt").write_bytes(content)
    with pytest.raises(UserError, match="checkpoint"):
        load_trained(tmp_path / "x.ckpt")


@pytest.mark.parametrize("content", [3, {"state_dict": {}}, {ENTRY: 3, "state_dict": {}}])
def test_a_checkpoint_of_others_is_one_sentence(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "x.ckpt")
    with pytest.raises(UserError, match="no checkpoint of wav2patch"):
        load_trained(tmp_path / "x.ckpt")


def test_half_a_checkpoint_is_one_sentence(tmp_path: Path) -> None:
    path = _save_checkpoint(tmp_path / "x.ckpt", tiny_trained("regression"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match="damaged"):
        load_trained(path)


class _Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("sprung"),)


def test_a_checkpoint_runs_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({ENTRY: _Trap(), "state_dict": {}}, tmp_path / "x.ckpt")
    with pytest.raises(UserError, match="no checkpoint"):
        load_trained(tmp_path / "x.ckpt")
    assert not (tmp_path / "sprung").exists()


def test_a_checkpoint_of_another_space_is_one_sentence(tmp_path: Path) -> None:
    path = _save_checkpoint(tmp_path / "x.ckpt", tiny_trained("regression"))
    checkpoint = torch.load(path, weights_only=True)
    checkpoint[ENTRY]["record"]["space"] = "f" * 16
    torch.save(checkpoint, path)
    with pytest.raises(UserError, match=r"x\.ckpt was made for another parameter space of dexed"):
        load_trained(path)


def test_weights_of_another_model_are_one_sentence(tmp_path: Path) -> None:
    path = _save_folder(tmp_path / "model", tiny_trained("regression"))
    state = load_file(path / "model.safetensors")
    state.popitem()
    save_file(state, path / "model.safetensors")
    with pytest.raises(UserError, match="its weights are not those"):
        load_trained(path)
    (path / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(UserError, match=r"model\.safetensors is damaged"):
        load_trained(path)
    (path / "model.safetensors").unlink()
    with pytest.raises(UserError, match="only graphs"):
        load_trained(path)


def test_a_model_of_another_space_is_not_saved(tmp_path: Path) -> None:
    record = tiny_record(TINY["regression"])
    wrong = tiny_record(TINY["regression"], space="0" * 16)
    with pytest.raises(UserError, match="another parameter space"):
        save_model(tmp_path / "model", tiny_inverter(record), wrong, tiny_standard(record))
    assert list(tmp_path.iterdir()) == []
