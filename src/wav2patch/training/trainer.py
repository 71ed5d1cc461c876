"""Lightning's trainer from settings: where it writes, when it stops, who is told."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback, EarlyStopping
from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger

from wav2patch.errors import UserError
from wav2patch.training.callbacks.assignment import AssignmentPictures
from wav2patch.training.callbacks.audio_examples import AudioExamples
from wav2patch.training.callbacks.averaging import Averaging
from wav2patch.training.callbacks.checkpoints import Checkpoints, WholeFiles
from wav2patch.training.callbacks.interrupts import Interrupts
from wav2patch.training.callbacks.loss_by_time import LossByTime
from wav2patch.training.callbacks.per_parameter import ParameterErrors
from wav2patch.training.callbacks.progress import Progress
from wav2patch.training.callbacks.stop_on_nan import StopOnNan
from wav2patch.training.callbacks.time_limit import TimeLimit
from wav2patch.training.csv_log import CsvLog
from wav2patch.training.run_folder import RunFolder
from wav2patch.training.settings import RunSettings


def make_trainer(
    settings: RunSettings,
    folder: RunFolder,
    *,
    validates: bool,
    callbacks: Sequence[Callback] = (),
) -> lightning.Trainer:
    """The trainer of a run.

    Args:
        settings: Of the run.
        folder: Where it writes.
        validates: Whether there is anything to validate on.
        callbacks: Beside those that the settings ask for.

    Raises:
        UserError: Lightning cannot do what is asked for, here.
    """
    wanted = settings.trainer
    torch.set_float32_matmul_precision(wanted.matmul)
    options: dict[str, Any] = {
        "accelerator": wanted.accelerator,
        "devices": _devices(wanted.devices),
        "num_nodes": wanted.nodes,
        "strategy": wanted.strategy,
        "precision": wanted.precision,
        "max_steps": wanted.max_steps,
        "max_epochs": -1,
        "val_check_interval": wanted.val_every * wanted.accumulate,
        "check_val_every_n_epoch": None,
        "limit_val_batches": (1.0 if wanted.val_batches is None else wanted.val_batches) if validates else 0,
        "log_every_n_steps": wanted.log_every,
        "accumulate_grad_batches": wanted.accumulate,
        "gradient_clip_val": wanted.gradient_clip,
    }
    try:
        return lightning.Trainer(
            **options,
            callbacks=[*_callbacks(settings, folder, validates), *callbacks],
            logger=make_loggers(settings, folder),
            plugins=[WholeFiles()],
            enable_checkpointing=True,
            enable_progress_bar=_shows_progress(settings),
            enable_model_summary=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            default_root_dir=folder.path,
        )
    except (MisconfigurationException, ValueError, TypeError) as error:
        raise UserError(f"Lightning cannot train like that: {' '.join(str(error).split()).rstrip('.')}.") from error


def make_loggers(settings: RunSettings, folder: RunFolder) -> list[Logger]:
    """Where figures go.

    Raises:
        UserError: W&B is wanted and not installed.
    """
    loggers: list[Logger] = [CsvLog(folder.metrics)] if settings.logging.csv else []
    if settings.logging.tensorboard:
        loggers.append(TensorBoardLogger(folder.path, name="", version="tensorboard", default_hp_metric=False))
    if settings.logging.wandb:
        loggers.append(_wandb(settings, folder))
    return loggers


def _callbacks(settings: RunSettings, folder: RunFolder, validates: bool) -> list[Callback]:
    wanted = settings.trainer
    found: list[Callback] = [StopOnNan(), Interrupts()]
    if wanted.max_hours is not None:
        found.append(TimeLimit(wanted.max_hours))
    if settings.module.ema is not None:
        found.append(Averaging(settings.module.ema))
    if validates:
        found.append(_Monitored(wanted.monitor))
    if wanted.patience is not None and validates:
        found.append(_Patience(wanted.monitor, patience=wanted.patience, check_on_train_epoch_end=False))
    if _shows_progress(settings):
        found.append(Progress())
    found += _shown(settings, folder.path)
    return [*found, Checkpoints(folder.checkpoints, wanted.checkpoint_every, wanted.monitor)]


def _shown(settings: RunSettings, folder: Path) -> list[Callback]:
    wanted, found = settings.callbacks, []
    if wanted.parameter_errors:
        found.append(ParameterErrors(folder, wanted.parameter_errors))
    if wanted.pictures:
        found += [LossByTime(folder), AssignmentPictures(folder, wanted.every)]
    if wanted.audio:
        found.append(AudioExamples(folder, wanted.audio, wanted.every))
    return found


class _Patience(EarlyStopping):
    """Keeps the patience that it was made with when a run goes on, which may have been given more."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({**state_dict, "patience": self.patience})


class _Monitored(Callback):
    """Says at the first validation that there is no such figure, before the callbacks that wait for it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        if self._name not in trainer.callback_metrics and not trainer.sanity_checking:
            known = ", ".join(sorted(name for name in trainer.callback_metrics if name.startswith("val/")))
            raise UserError(f"there is no figure {self._name!r} for trainer.monitor: choose from {known}.")


def _shows_progress(settings: RunSettings) -> bool:
    return sys.stderr.isatty() if settings.trainer.progress is None else settings.trainer.progress


def _devices(text: str) -> str | int | list[int]:
    if "," in text:
        return [int(one) for one in text.split(",") if one.strip()]
    return int(text) if text.lstrip("-").isdecimal() else text


def _wandb(settings: RunSettings, folder: RunFolder) -> Logger:
    # One run of W&B for all processes that one run takes.
    mark = hashlib.blake2s(str(folder.path.resolve()).encode(), digest_size=8).hexdigest()
    try:
        return WandbLogger(
            name=f"{settings.experiment}/{folder.path.name}",
            save_dir=folder.path,
            id=mark,
            project=settings.logging.project,
            offline=settings.logging.offline,
        )
    except ModuleNotFoundError as error:
        raise UserError("Weights & Biases is not installed: pip install 'wav2patch[wandb]'.") from error
