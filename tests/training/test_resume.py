"""A run that was stopped and resumed sees the batches, and ends with the weights, of one that was not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from small_model import QUIET, SmallModel, make_trainer, ready_model

from wav2patch.errors import UserError
from wav2patch.training.data_module import ClipData

pytestmark = [pytest.mark.filterwarnings(one) for one in QUIET]

MEL_SIZE = 128 * 11
EPOCHS, STEPS = 3, 27

# What makes the checkpoint, and how the run ends that made it.
STOPS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a checkpoint every few steps": ({"every_n_train_steps": 5}, {"max_epochs": EPOCHS}),
    "the most steps": ({}, {"max_steps": None}),
    "an exception": ({"save_on_exception": True, "every_n_epochs": 100}, {"max_epochs": EPOCHS}),
    "validation within an epoch": ({}, {"max_epochs": EPOCHS, "val_check_interval": 3}),
    "the end of an epoch": ({}, {"max_epochs": EPOCHS}),
}


def data(folder: Path, workers: int, **options: Any) -> ClipData:
    return ClipData(folder, batch_size=4, num_workers=workers, standardize=False, **options)


@pytest.fixture(scope="module")
def uninterrupted(finished_set: Path) -> SmallModel:
    model = ready_model(MEL_SIZE)
    make_trainer(finished_set, max_epochs=EPOCHS).fit(model, datamodule=data(finished_set, 0))
    assert len(model.seen) == STEPS
    return model


def stopped(folder: Path, place: Path, kind: str, stop: int, workers: int) -> tuple[SmallModel, Path]:
    """A run that fails before step `stop` or ends there, and its last checkpoint."""
    saving, options = STOPS[kind]
    checkpoint = ModelCheckpoint(place, filename="{step}", save_top_k=-1, **saving)
    ends = {"max_steps": stop} if "max_steps" in options else options
    model = ready_model(MEL_SIZE, stop_at=None if "max_steps" in options else stop)
    trainer = make_trainer(folder, callbacks=[checkpoint], **ends)
    if "max_steps" in options:
        trainer.fit(model, datamodule=data(folder, workers))
    else:
        with pytest.raises(RuntimeError, match="stopped"):
            trainer.fit(model, datamodule=data(folder, workers))
    return model, max(place.glob("*.ckpt"), key=lambda path: int(path.stem.partition("=")[2]))


@pytest.mark.parametrize(
    ("kind", "stop", "workers"),
    [(kind, stop, 0) for kind in STOPS for stop in (13, 18)] + [("an exception", 7, 2), ("the most steps", 20, 2)],
)
def test_a_resumed_run_equals_one_that_was_not_stopped(
    finished_set: Path, tmp_path: Path, uninterrupted: SmallModel, kind: str, stop: int, workers: int
) -> None:
    begun, checkpoint = stopped(finished_set, tmp_path, kind, stop, workers)
    step = torch.load(checkpoint, weights_only=True)["global_step"]
    again = ready_model(MEL_SIZE)
    ends: dict[str, Any] = {"max_steps": STEPS} if "max_steps" in STOPS[kind][1] else dict(STOPS[kind][1])
    trainer = make_trainer(finished_set, **ends)
    trainer.fit(again, datamodule=data(finished_set, workers), ckpt_path=str(checkpoint))
    assert begun.seen[:step] + again.seen == uninterrupted.seen
    assert 0 < step <= stop
    for name, value in uninterrupted.state_dict().items():
        assert torch.equal(again.state_dict()[name], value)


def test_ctrl_c_costs_nothing_either(finished_set: Path, tmp_path: Path, uninterrupted: SmallModel) -> None:
    checkpoint = ModelCheckpoint(tmp_path, filename="kept", save_on_exception=True, every_n_epochs=100)
    begun = ready_model(MEL_SIZE, stop_at=11, error=KeyboardInterrupt)
    with pytest.raises(SystemExit):
        make_trainer(finished_set, callbacks=[checkpoint], max_epochs=EPOCHS).fit(
            begun, datamodule=data(finished_set, 2)
        )
    again = ready_model(MEL_SIZE)
    make_trainer(finished_set, max_epochs=EPOCHS).fit(
        again, datamodule=data(finished_set, 0), ckpt_path=str(tmp_path / "kept.ckpt")
    )
    assert begun.seen + again.seen == uninterrupted.seen


def test_a_checkpoint_that_is_saved_after_training_goes_on_too(finished_set: Path, tmp_path: Path) -> None:
    whole, begun, again = (ready_model(MEL_SIZE) for _ in range(3))
    make_trainer(finished_set, max_steps=12).fit(whole, datamodule=data(finished_set, 0))
    trainer = make_trainer(finished_set, max_steps=5)
    trainer.fit(begun, datamodule=data(finished_set, 0))
    trainer.save_checkpoint(tmp_path / "late.ckpt")
    make_trainer(finished_set, max_steps=12).fit(
        again, datamodule=data(finished_set, 0), ckpt_path=str(tmp_path / "late.ckpt")
    )
    assert begun.seen + again.seen == whole.seen


def test_epochs_that_are_cut_short_count_as_epochs(finished_set: Path, tmp_path: Path) -> None:
    whole, begun, again = (ready_model(MEL_SIZE) for _ in range(3))
    options: dict[str, Any] = {"limit_train_batches": 4, "limit_val_batches": 0}
    make_trainer(finished_set, max_epochs=3, **options).fit(whole, datamodule=data(finished_set, 0))
    checkpoint = ModelCheckpoint(tmp_path, filename="kept")
    make_trainer(finished_set, callbacks=[checkpoint], max_epochs=1, **options).fit(
        begun, datamodule=data(finished_set, 0)
    )
    make_trainer(finished_set, max_epochs=3, **options).fit(
        again, datamodule=data(finished_set, 0), ckpt_path=str(tmp_path / "kept.ckpt")
    )
    assert begun.seen + again.seen == whole.seen


def test_loaders_that_are_made_anew_go_on(finished_set: Path, uninterrupted: SmallModel) -> None:
    model = ready_model(MEL_SIZE)
    make_trainer(finished_set, max_epochs=EPOCHS, reload_dataloaders_every_n_epochs=1).fit(
        model, datamodule=data(finished_set, 0)
    )
    assert model.seen == uninterrupted.seen


@pytest.mark.parametrize("options", [{"seed": 1}, {"train": "test"}])
def test_other_data_is_refused(finished_set: Path, tmp_path: Path, options: dict[str, Any]) -> None:
    trainer = make_trainer(finished_set, max_steps=2)
    trainer.fit(ready_model(MEL_SIZE), datamodule=data(finished_set, 0))
    trainer.save_checkpoint(tmp_path / "kept.ckpt")
    with pytest.raises(UserError, match="had other batches"):
        make_trainer(finished_set, max_steps=5).fit(
            ready_model(MEL_SIZE),
            datamodule=data(finished_set, 0, **options),
            ckpt_path=str(tmp_path / "kept.ckpt"),
        )
