"""Two processes that train an inverter together, and one on the same global batches."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import lightning
import pytest
from lightning.pytorch.callbacks import Callback
from small_model import QUIET
from tiny_inverter import fit, load, tensor_data, tensor_record, tiny_module

from wav2patch.training.callbacks.averaging import Averaging
from wav2patch.training.callbacks.checkpoints import LAST, Checkpoints
from wav2patch.training.callbacks.per_parameter import ParameterErrors

pytestmark = [pytest.mark.filterwarnings(one) for one in QUIET]


class Curve(Callback):
    """Writes down the losses of all processes together."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.losses: dict[str, list[float]] = {"train": [], "val": []}

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        loss: Any = trainer.strategy.reduce(outputs["loss"].detach(), reduce_op="mean")
        self.losses["train"].append(float(loss))

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        self.losses["val"].append(float(trainer.callback_metrics["val/loss"]))

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        if trainer.is_global_zero:
            (self.folder / "curve.json").write_text(json.dumps(self.losses), encoding="utf-8")


def run(folder: Path, processes: int) -> dict[str, list[float]]:
    folder.mkdir()
    # Of 41 rows one process gets 20 and the other 21.
    data = tensor_data(batch_size=32 // processes, val_rows=41)
    module = tiny_module(tensor_record(data), hungarian=False, learning_rate=1e-2)
    callbacks = [Curve(folder), Averaging(0.9), ParameterErrors(folder, rows=5), Checkpoints(folder, every=5)]
    strategy = "ddp_fork" if processes > 1 else "auto"
    fit(folder, module, data, callbacks=callbacks, max_epochs=3, devices=processes, strategy=strategy)
    return json.loads((folder / "curve.json").read_text(encoding="utf-8"))


def test_two_processes_train_to_the_curve_of_one(tmp_path: Path) -> None:
    one, two = run(tmp_path / "one", 1), run(tmp_path / "two", 2)
    assert (len(one["train"]), len(one["val"])) == (21, 3)
    assert one["train"][-1] < 0.95 * one["train"][0]
    for name in ("train", "val"):
        assert two[name] == pytest.approx(one[name], rel=1e-4)
    for folder in ("one", "two"):
        assert load(tmp_path / folder / LAST)["global_step"] == 21
        with (tmp_path / folder / "parameter_errors.csv").open(encoding="utf-8", newline="") as file:
            assert [row["step"] for row in csv.DictReader(file)] == ["7", "14", "21"]


def test_hungarian_coupling_works_on_each_process(tmp_path: Path) -> None:
    data = tensor_data(batch_size=8, val_rows=0)
    module = tiny_module(tensor_record(data))
    keeping = Checkpoints(tmp_path)
    fit(tmp_path, module, data, callbacks=[keeping], max_steps=9, devices=2, strategy="ddp_fork")
    assert load(keeping.last_path)["global_step"] == 9
