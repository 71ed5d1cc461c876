"""Two runs with one seed give one checkpoint, and so does one that was stopped and went on."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch.callbacks import Callback
from small_model import QUIET
from tiny_inverter import SETTINGS, fit, load, same, tensor_data, tensor_record, tiny_module

from wav2patch.synths.catalogue import load_synth
from wav2patch.training.callbacks.averaging import LEARNING_KEY, Averaging
from wav2patch.training.callbacks.checkpoints import LAST, Checkpoints
from wav2patch.training.callbacks.interrupts import Interrupts
from wav2patch.training.data_module import ClipData
from wav2patch.training.module import InverterModule
from wav2patch.training.resuming import ResumableData
from wav2patch.weights.record import Record

pytestmark = [pytest.mark.filterwarnings(one) for one in QUIET]

STEPS = 20


class Killed(BaseException):
    """Ends a run as a kill would: nobody gets to write anything."""


class Stop(Callback):
    """Ends a run in the step with this number."""

    def __init__(self, step: int, how: Any, hook: str = "on_train_batch_start") -> None:
        self.step, self.how = step, how
        setattr(self, hook, self._stop)

    def _stop(self, trainer: Any, *_: Any) -> None:
        if trainer.global_step == self.step:
            self.how()


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def kill() -> None:
    raise Killed


def fail() -> None:
    raise RuntimeError("something else")


class Deaf(Checkpoints):
    """Does not get to write when the run is killed."""

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        if not isinstance(exception, Killed):
            super().on_exception(trainer, pl_module, exception)


@pytest.fixture(scope="module", params=["tensors", "clips"])
def pair(request: pytest.FixtureRequest, finished_set: Path) -> Any:
    """Makes data and a module, the same every time; epochs have seven and nine batches."""

    def make(workers: int = 0) -> tuple[InverterModule, ResumableData]:
        if request.param == "tensors":
            data = tensor_data(num_workers=workers)
            return tiny_module(tensor_record(data), total_steps=STEPS, warmup_steps=5), data
        clips = ClipData(finished_set, batch_size=4, num_workers=workers, standardize=False)
        return tiny_module(clip_record(clips), total_steps=STEPS, warmup_steps=5, mask_inaudible=True), clips

    return make


def clip_record(data: ClipData) -> Record:
    recipe, feature = data.recipe, data.features[0]
    synth = load_synth(recipe.synth)
    shape = feature.shape(recipe.channels, round(recipe.length * recipe.sample_rate), recipe.sample_rate)
    return Record(
        synth.name, synth.space.digest, "given", "C4", feature.name, shape, recipe.sample_rate, recipe.length,
        recipe.channels, SETTINGS,
    )  # fmt: skip


def run(folder: Path, made: Any, *more: Callback, resume: Path | None = None, **options: Any) -> Path:
    """A run with everything that has a state; where its last checkpoint lies."""
    module, data = made
    callbacks = [*more, Averaging(0.9), Interrupts(), Deaf(folder, every=4)]
    settings: dict[str, Any] = {"max_steps": STEPS, "val_check_interval": 3, "check_val_every_n_epoch": None} | options
    try:
        fit(folder, module, data, callbacks=callbacks, resume=resume, **settings)
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return folder / LAST


def weights(path: Path) -> dict[str, Any]:
    """All that training goes on from, but for Lightning's counts of how often it was begun."""
    found = load(path)
    kept = ("state_dict", LEARNING_KEY, "optimizer_states", "lr_schedulers", "callbacks", "global_step", "wav2patch")
    return {name: found[name] for name in kept} | {name: found[name] for name in found if name.endswith("Data")}


def test_two_runs_with_one_seed_give_one_checkpoint(tmp_path: Path, pair: Any) -> None:
    first, second = run(tmp_path / "a", pair()), run(tmp_path / "b", pair())
    assert same(load(first), load(second))
    assert not same(load(first)["state_dict"], load(first)[LEARNING_KEY])
    assert first.read_bytes() == second.read_bytes()


def test_another_seed_gives_another(tmp_path: Path) -> None:
    data = tensor_data()
    ends = []
    for seed in (0, 1):
        module = tiny_module(tensor_record(data), seed=seed)
        fit(tmp_path, module, data, max_steps=3)
        ends.append(module.state_dict())
    assert not same(*ends)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, pair: Any) -> dict[str, Any]:
    return weights(run(tmp_path_factory.mktemp("whole"), pair()))


STOPS: dict[str, tuple[list[Callback], Any, dict[str, Any]]] = {
    "the most steps": ([], None, {"max_steps": 11}),
    "Ctrl-C": ([Stop(9, interrupt)], SystemExit, {}),
    "Ctrl-C within a step": ([Stop(9, interrupt, "on_before_zero_grad")], SystemExit, {}),
    "an error in a step": ([Stop(10, fail)], RuntimeError, {}),
    "an error in the optimizer": ([Stop(10, fail, "on_before_optimizer_step")], RuntimeError, {}),
    "a kill": ([Stop(11, kill)], Killed, {}),
    "a kill in validation": ([Stop(15, kill, "on_validation_batch_start")], Killed, {}),
}


@pytest.mark.parametrize("how", STOPS)
def test_a_resumed_run_equals_one_that_was_not_stopped(
    tmp_path: Path, pair: Any, uninterrupted: dict[str, Any], how: str
) -> None:
    stops, error, options = STOPS[how]
    place = tmp_path / "stopped"
    if error is None:
        run(place, pair(), *stops, **options)
    else:
        with pytest.raises(error):
            run(place, pair(), *stops)
    assert 0 < load(place / LAST)["global_step"] < STEPS
    assert same(weights(run(place, pair(), resume=place / LAST)), uninterrupted)


def test_workers_change_nothing(tmp_path: Path, pair: Any, uninterrupted: dict[str, Any]) -> None:
    with pytest.raises(Killed):
        run(tmp_path / "stopped", pair(2), Stop(10, kill))
    assert same(weights(run(tmp_path / "stopped", pair(), resume=tmp_path / "stopped" / LAST)), uninterrupted)


def test_what_is_saved_after_training_goes_on_too(tmp_path: Path, pair: Any, uninterrupted: dict[str, Any]) -> None:
    module, data = pair()
    saving = [Averaging(0.9), Interrupts(), Deaf(tmp_path, every=4)]
    ends: dict[str, Any] = {"val_check_interval": 3, "check_val_every_n_epoch": None}
    trainer = fit(tmp_path, module, data, callbacks=saving, max_steps=8, **ends)
    trainer.save_checkpoint(tmp_path / "late.ckpt")
    mean = load(tmp_path / "late.ckpt")["state_dict"]
    assert all(torch.equal(value, mean[name]) for name, value in module.state_dict().items())
    # `best` is the callback's own; the figures of the validations are the same.
    assert same(weights(run(tmp_path, pair(), resume=tmp_path / "late.ckpt")), uninterrupted)


@pytest.mark.parametrize("stop", ["a kill", "a kill in validation"])
def test_a_plateau_is_waited_for_across_a_stop(tmp_path: Path, stop: str) -> None:
    def make() -> tuple[InverterModule, ResumableData]:
        data = tensor_data()
        return tiny_module(tensor_record(data), learning_rate=0.3, schedule="plateau", plateau_patience=0), data

    stopping, error, _ = STOPS[stop]
    whole = run(tmp_path / "whole", make())
    with pytest.raises(error):
        run(tmp_path / "halves", make(), *stopping)
    resumed = run(tmp_path / "halves", make(), resume=tmp_path / "halves" / LAST)
    assert same(weights(resumed), weights(whole))
    assert 0.0 < load(whole)["wav2patch"]["plateau"]["scale"] < 1.0
