"""What a module makes of batches, and how it trains."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import pytest
import torch
from small_model import QUIET
from tiny_inverter import fit, load, tensor_data, tensor_record, tiny_module

from wav2patch.errors import UserError
from wav2patch.note_rules import PaperNotes
from wav2patch.notes import Note
from wav2patch.priors import draw
from wav2patch.synths.catalogue import load_synth
from wav2patch.training.data_module import ClipData
from wav2patch.training.examples import Preparation, Translation, encoded_notes
from wav2patch.weights.record import Record

pytestmark = [pytest.mark.filterwarnings(one) for one in QUIET]

RULE = PaperNotes(length=1.0)


def dexed_record(**changes: Any) -> Record:
    settings: dict[str, Any] = {
        "synth": "dexed", "space": load_synth("dexed").space.digest, "note": "given", "notes": RULE.words,
        "feature": "log_mel:bands=8", "shape": (1, 8, 4), "sample_rate": 16_000, "length": 1.0, "channels": 1,
        "inverter": {"kind": "tiny"},
    }  # fmt: skip
    return Record(**(settings | changes))


def dexed_batch(rows: int = 5) -> tuple[dict[str, torch.Tensor], np.ndarray, list[Note]]:
    synth = load_synth("dexed")
    patches = np.stack([draw(synth.prior(), 3, index) for index in range(rows)])
    notes = [RULE.draw(3, index) for index in range(rows)]
    told = [[one.pitch, one.velocity, one.onset, one.duration] for one in notes]
    batch = {
        "parameters": torch.from_numpy(synth.space.encode(patches)),
        "notes": torch.tensor(told, dtype=torch.float32),
        "index": torch.arange(rows),
        "features/log_mel:bands=8": torch.rand(rows, 1, 8, 4),
    }
    return batch, patches, notes


def test_vectors_are_encodings_from_minus_one_to_one() -> None:
    batch, _, _ = dexed_batch()
    examples = Translation(dexed_record())(batch)
    assert torch.equal(examples.vectors, batch["parameters"] * 2.0 - 1.0)
    assert examples.notes is batch["notes"]
    assert examples.features is batch["features/log_mel:bands=8"]
    assert examples.weights is None
    assert Translation(dexed_record(note="none"))(batch).notes is None


def test_a_note_that_is_predicted_follows_the_patch() -> None:
    batch, _, notes = dexed_batch()
    examples = Translation(dexed_record(note="predicted"))(batch)
    assert examples.notes is None
    for row, note in zip(examples.vectors, notes, strict=True):
        decoded = RULE.decode((row[-3:].numpy() + 1.0) / 2.0)
        assert decoded.pitch == note.pitch
        assert decoded.onset == pytest.approx(note.onset, abs=1e-5)
        assert decoded.duration == pytest.approx(max(note.duration, 1e-3), abs=1e-5)
    assert examples.vectors.shape[1] == batch["parameters"].shape[1] + 3


@pytest.mark.parametrize("note", ["given", "predicted"])
def test_what_cannot_be_heard_weighs_nothing(note: Any) -> None:
    batch, patches, _ = dexed_batch(40)
    space = load_synth("dexed").space
    weights = Translation(dexed_record(note=note), mask_inaudible=True)(batch).weights
    assert weights is not None
    active = space.active(patches)
    assert 0 < active.mean() < 1
    for number, columns in enumerate(space.columns):
        wanted = torch.from_numpy(active[:, number]).float()[:, None]
        assert torch.equal(weights[:, columns], wanted.expand(-1, space.parameters[number].width))
    if note == "predicted":
        assert (weights[:, -3:] == 1).all()
    assert weights.shape == (40, space.width + 3 * (note == "predicted"))


def test_what_is_prepared_is_what_would_be_computed() -> None:
    data = tensor_data()
    record = tensor_record(data)
    module = tiny_module(record)
    batch = next(iter(data.train_dataloader()))
    ready = Preparation(module.translation, module.inverter, 0)(batch, 3)
    finished = data.on_after_batch_transfer(dict(ready), 0)
    plain = {name: value for name, value in finished.items() if name not in ("vectors", "start")}
    losses = [module._losses(one, 3)["loss"] for one in (finished, plain)]
    assert ready["epoch"] == 3
    assert torch.equal(*losses)
    assert not torch.equal(losses[0], module._losses(plain, 4)["loss"])


def test_other_data_is_refused_in_a_sentence() -> None:
    batch, _, _ = dexed_batch()
    kosc = dexed_record(synth="kosc_4", space=load_synth("kosc_4").space.digest)
    with pytest.raises(UserError, match="those of kosc_4 have 12: train on a data set of kosc_4"):
        Translation(kosc)(batch)
    with pytest.raises(UserError, match="the model hears features/log_mel, and the data has features/log_mel:bands=8"):
        Translation(dexed_record(feature="log_mel"))(batch)
    with pytest.raises(UserError, match="cannot be predicted: those of paper can"):
        Translation(dexed_record(note="predicted", notes="C4"))(batch)
    with pytest.raises(UserError, match="notes that the model cannot predict"):
        encoded_notes(PaperNotes(), torch.tensor([[100.0, 100.0, 0.0, 1.0]]))
    with pytest.raises(UserError, match="parameter space"):
        Translation(dexed_record(space="0"))(batch)


class Watch(lightning.Callback):
    def __init__(self) -> None:
        self.rates: list[float] = []

    def on_train_batch_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])


@pytest.mark.parametrize(("schedule", "warmup"), [("cosine", 0), ("cosine", 4), ("constant", 4)])
def test_learning_rates_follow_the_schedule(tmp_path: Path, schedule: Any, warmup: int) -> None:
    data, watch = tensor_data(val_rows=0), Watch()
    module = tiny_module(tensor_record(data), schedule=schedule, warmup_steps=warmup, final_scale=0.1)
    fit(tmp_path, module, data, callbacks=[watch], max_steps=10)
    rates = [one / 3e-3 for one in watch.rates]
    assert rates[:warmup] == pytest.approx([(step + 1) / (warmup + 1) for step in range(warmup)])
    for step in range(warmup, 10):
        turned = 0.5 * (1 + math.cos(math.pi * (step - warmup) / (10 - warmup)))
        assert rates[step] == pytest.approx(1.0 if schedule == "constant" else 0.1 + 0.9 * turned)


def test_epochs_end_a_schedule_too(tmp_path: Path) -> None:
    data, watch = tensor_data(val_rows=0), Watch()
    fit(tmp_path, tiny_module(tensor_record(data), final_scale=0.0), data, callbacks=[watch], max_epochs=2)
    assert watch.rates[7] == pytest.approx(3e-3 / 2)


def test_a_cosine_without_an_end_is_refused(tmp_path: Path) -> None:
    data = tensor_data(val_rows=0, epoch_batches=None)
    with pytest.raises(UserError, match="give max_steps, or schedule=constant"):
        fit(tmp_path, tiny_module(tensor_record(data)), data, max_time="00:00:00:01", max_epochs=-1)
    with pytest.raises(UserError, match="choose from cosine, constant"):
        tiny_module(tensor_record(data), schedule="linear")


@pytest.mark.parametrize(("decay", "kind"), [(0.0, torch.optim.Adam), (0.1, torch.optim.AdamW)])
def test_optimizer(tmp_path: Path, decay: float, kind: type) -> None:
    data = tensor_data(val_rows=0)
    module = tiny_module(tensor_record(data), weight_decay=decay, betas=(0.8, 0.9))
    trainer = fit(tmp_path, module, data, max_steps=1)
    group = trainer.optimizers[0].param_groups[0]
    assert type(trainer.optimizers[0]) is kind
    assert (group["betas"], group["weight_decay"]) == ((0.8, 0.9), decay)


def test_figures_of_a_validation_can_be_compared(tmp_path: Path) -> None:
    data = tensor_data()
    module = tiny_module(tensor_record(data), learning_rate=0.0)
    found = []

    class Keep(lightning.Callback):
        def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
            found.append({name: float(value) for name, value in trainer.callback_metrics.items()})

    fit(tmp_path, module, data, callbacks=[Keep()], max_epochs=3)
    assert len({one["val/loss"] for one in found}) == 1
    assert len({one.get("train/loss") for one in found}) == 3
    assert {"val/loss", "val/velocity"} <= found[0].keys()
    assert not [name for name in found[-1] if "_rows" in name or "_times" in name]
    # The mean over 40 rows, of which the last batch has 8.
    batches = [data.on_after_batch_transfer(batch, 0) for batch in data.val_dataloader()]
    with torch.no_grad():
        rows = torch.cat([module._losses(batch, -1)["_rows"] for batch in batches])
    assert found[0]["val/loss"] == pytest.approx(float(rows.mean()), rel=1e-5)


def test_a_checkpoint_says_what_it_is_of(tmp_path: Path, own_set: Path) -> None:
    data = ClipData(own_set, batch_size=4, num_workers=0, features="log_mel")
    recipe, synth = data.recipe, load_synth(data.recipe.synth)
    shape = data.features[0].shape(recipe.channels, round(recipe.length * recipe.sample_rate), recipe.sample_rate)
    record = dexed_record(synth=synth.name, space=synth.space.digest, feature="log_mel", shape=shape)
    trainer = fit(tmp_path, tiny_module(record), data, max_steps=1, limit_val_batches=0)
    trainer.save_checkpoint(tmp_path / "one.ckpt")
    kept = load(tmp_path / "one.ckpt")["wav2patch"]
    assert Record.from_dict(kept["record"]) == record
    assert "standard" not in kept

    mean, deviation = np.full(shape, 2.0), np.full(shape, 4.0)
    from wav2patch.training.device_features import Standardize

    data.standards = {"log_mel": Standardize(mean, deviation)}
    vars(data).pop("_finish")
    trainer = fit(tmp_path, tiny_module(record), data, max_steps=1, limit_val_batches=0)
    trainer.save_checkpoint(tmp_path / "two.ckpt")
    standard = load(tmp_path / "two.ckpt")["wav2patch"]["standard"]
    assert (standard["mean"] == 2.0).all()
    assert (standard["scale"] == 0.25).all()


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    data = tensor_data(val_rows=0)
    record = tensor_record(data)
    trainer = fit(tmp_path, tiny_module(record), data, max_steps=1)
    trainer.save_checkpoint(tmp_path / "one.ckpt")
    other = dataclasses.replace(record, notes="A4")
    with pytest.raises(UserError, match=r"another notes \(C4, and now A4\)"):
        fit(tmp_path, tiny_module(other), data, resume=tmp_path / "one.ckpt", max_steps=2)
    torch.save({**load(tmp_path / "one.ckpt"), "wav2patch": None}, tmp_path / "bare.ckpt")
    with pytest.raises(UserError, match="not written by wav2patch"):
        fit(tmp_path, tiny_module(record), data, resume=tmp_path / "bare.ckpt", max_steps=2)


def test_training_makes_the_loss_smaller(tmp_path: Path) -> None:
    data = tensor_data()
    module = tiny_module(tensor_record(data), learning_rate=1e-2)
    before = lightning.Trainer(logger=False, enable_progress_bar=False, accelerator="cpu", enable_model_summary=False)
    loss = before.validate(module, data, verbose=False)[0]["val/loss"]
    trainer = fit(tmp_path, module, data, max_steps=60)
    assert float(trainer.callback_metrics["val/loss"]) < 0.9 * loss
