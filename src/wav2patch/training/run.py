"""A training run, from its settings to its checkpoints: without a command line, and without Hydra.

CPU:           fit(read_settings({"data": {"folder": "dexed-100k"}}))
one GPU:       the same; {"trainer": {"precision": "bf16-mixed"}} is faster
several GPUs:  {"trainer": {"devices": "4", "strategy": "ddp"}}
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import lightning
import torch
from lightning.pytorch.callbacks import Callback

from wav2patch.errors import UserError
from wav2patch.files import write_text
from wav2patch.models.inverters.base import Inverter, Learner
from wav2patch.training.beginning import first_learner
from wav2patch.training.csv_log import CsvLog
from wav2patch.training.making import data_facts, data_kind, make_data, make_record, standardize
from wav2patch.training.module import InverterModule
from wav2patch.training.plain_errors import in_one_sentence
from wav2patch.training.processes import is_first_process, without_remarks
from wav2patch.training.remembering import remember
from wav2patch.training.resuming import ResumableData
from wav2patch.training.run_folder import RunFolder, run_folder
from wav2patch.training.saving import read_checkpoint
from wav2patch.training.settings import RunSettings
from wav2patch.training.shown_draws import show_draws
from wav2patch.training.trainer import make_trainer
from wav2patch.weights.record import Record

State = Literal["trained", "resumed", "stopped", "finished before"]


@dataclass(frozen=True, eq=False)
class Run:
    """All that trains.

    Attributes:
        settings: Of the run.
        folder: Where it lies.
        data: What is learnt from.
        record: What the model has to say about itself.
        inverter: The model.
        module: The model as Lightning takes it.
        trainer: Lightning's.
    """

    settings: RunSettings
    folder: RunFolder
    data: ResumableData
    record: Record
    inverter: Learner
    module: InverterModule
    trainer: lightning.Trainer


@dataclass(frozen=True)
class RunResult:
    """How a run ended.

    Attributes:
        state: ``stopped`` by its hours; ``finished before`` if there was nothing left to do.
        folder: Of the run.
        last: Newest checkpoint.
        best: That with the best monitored figure; None if nothing was validated.
        steps: Of the optimizer, all in all.
        seconds: That this call took.
        metrics: The last figures, by name.
    """

    state: State
    folder: Path
    last: Path
    best: Path | None
    steps: int
    seconds: float
    metrics: dict[str, float]


def fit(settings: RunSettings, callbacks: Sequence[Callback] = ()) -> RunResult:
    """Train, or go on with a run that was stopped.

    The same settings lie in the same folder, and go on there; a run that is finished is left as it is.

    Args:
        settings: Of the run; see `read_settings`.
        callbacks: Further ones.

    Raises:
        UserError: The settings, the data, the disk or the memory do not allow it, or the loss is no number.
        KeyboardInterrupt: Ctrl-C; a checkpoint was saved.
    """
    began = time.monotonic()
    folder = run_folder(settings)
    folder.check(settings)
    ended = folder.read_result()
    if settings.resume == "auto" and ended and _is_over(ended, settings):
        return _result("finished before", folder, ended["steps"], began, ended["metrics"])
    with in_one_sentence(), without_remarks(), contextlib.ExitStack() as stack:
        run = make_run(settings, callbacks)
        stack.callback(run.data.close)
        checkpoint = _checkpoint_of(run)
        metrics = _train(run, checkpoint) if _trains(run) else remember(run.module, run.data, run.trainer, folder.last)
    return _finish(run, began, checkpoint is not None, metrics)


def _is_over(ended: Mapping[str, Any], settings: RunSettings) -> bool:
    """Whether nothing is left to do of a run that has ended."""
    if ended["steps"] >= settings.trainer.max_steps:
        return True
    patience, then = settings.trainer.patience, ended.get("patience")
    return ended["early"] and (then is None or (patience is not None and patience <= then))


def make_run(settings: RunSettings, callbacks: Sequence[Callback] = ()) -> Run:
    """All that trains, ready to start.

    Raises:
        UserError: The settings contradict each other, or the data.
    """
    folder = run_folder(settings)
    settings = dataclasses.replace(settings, data=dataclasses.replace(settings.data, kind=data_kind(settings.data)))
    data = make_data(settings.data)
    with _closed_on_failure(data):
        record = make_record(settings, data_facts(data, settings.data))
        inverter = first_learner(record, settings.seed, settings.init)
        if isinstance(inverter, Inverter):
            show_draws(inverter, record, record.load_synth(), keep=False)
        if is_first_process():
            folder.begin(settings)
        standardize(data, settings.data, folder.standards)
        module = make_module(settings, inverter, record)
        shown = settings if isinstance(inverter, Inverter) else _without_proposals(settings)
        trainer = make_trainer(shown, folder, validates=data.validates, callbacks=callbacks)
    return Run(settings, folder, data, record, inverter, module, trainer)


def make_module(settings: RunSettings, inverter: Learner, record: Record) -> InverterModule:
    """The model as Lightning takes it."""
    options: dict[str, Any] = dataclasses.asdict(settings.module)
    options.pop("ema")
    if options["total_steps"] is None and settings.trainer.max_steps > 0:
        options["total_steps"] = settings.trainer.max_steps
    fixed = {"seed": settings.seed, "embedding": settings.data.embedding, "compile": settings.trainer.compile}
    return InverterModule(inverter, record, **fixed, **options)


def _without_proposals(settings: RunSettings) -> RunSettings:
    """Nothing is shown of proposals where there are none."""
    return dataclasses.replace(settings, callbacks=dataclasses.replace(settings.callbacks, parameter_errors=0, audio=0))


def _trains(run: Run) -> bool:
    return getattr(run.inverter, "trainable", True)


def _checkpoint_of(run: Run) -> Path | None:
    """What the run goes on from."""
    wanted = run.settings.resume
    if wanted == "auto":
        return run.folder.last if run.folder.last.exists() else None
    if wanted == "none":
        return None
    if not Path(wanted).is_file():
        raise UserError(f"there is no checkpoint {wanted} to go on from: resume is auto, none, or a .ckpt file.")
    if "loops" not in read_checkpoint(Path(wanted)):
        raise UserError(f"{wanted} has no training to go on with: resume is auto, none, or a .ckpt of a training.")
    return Path(wanted)


def _train(run: Run, checkpoint: Path | None) -> dict[str, float]:
    for logger in run.trainer.loggers:
        if isinstance(logger, CsvLog) and checkpoint is not None:
            logger.resume(_step_of(checkpoint))
    try:
        run.trainer.fit(run.module, datamodule=run.data, ckpt_path=checkpoint, weights_only=True)
    except SystemExit:
        # What Lightning makes of Ctrl-C, once it has saved a checkpoint.
        if run.trainer.interrupted:
            raise KeyboardInterrupt from None
        raise
    return {name: float(value) for name, value in sorted(run.trainer.callback_metrics.items())}


def _step_of(checkpoint: Path) -> int:
    return int(torch.load(checkpoint, map_location="cpu", weights_only=True).get("global_step", 0))


def _finish(run: Run, began: float, resumed: bool, metrics: dict[str, float]) -> RunResult:
    steps = run.trainer.global_step
    # Lightning notes the epoch, which is 0 in the first one.
    stopper: Any = run.trainer.early_stopping_callback
    early = not _trains(run) or (stopper is not None and stopper.wait_count >= stopper.patience)
    state: State = "resumed" if resumed else "trained"
    if steps < run.settings.trainer.max_steps and not early:
        state = "stopped"
    elif is_first_process():
        patience = None if stopper is None else stopper.patience
        content = {"steps": steps, "early": early, "patience": patience, "metrics": metrics}
        write_text(run.folder.result, json.dumps(content, indent=1) + "\n")
    return _result(state, run.folder, steps, began, metrics)


def _result(state: State, folder: RunFolder, steps: int, began: float, metrics: dict[str, float]) -> RunResult:
    best = folder.best if folder.best.exists() else None
    return RunResult(state, folder.path, folder.last, best, steps, time.monotonic() - began, metrics)


@contextlib.contextmanager
def _closed_on_failure(data: ResumableData) -> Iterator[None]:
    try:
        yield
    except BaseException:
        data.close()
        raise
