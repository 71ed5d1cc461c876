"""Runs of methods that remember examples instead of descending a gradient."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning
import torch

from wav2patch.errors import UserError
from wav2patch.models.inverters.base import Examples
from wav2patch.training.callbacks.checkpoints import WholeFiles
from wav2patch.training.module import InverterModule
from wav2patch.training.resuming import ResumableData
from wav2patch.training.sampler import EndlessOrder
from wav2patch.training.saving import ENTRY


def remember(module: InverterModule, data: ResumableData, trainer: lightning.Trainer, path: Path) -> dict[str, float]:
    """Show a method the training data once, write its checkpoint, and validate it.

    Args:
        module: The method as Lightning takes it.
        data: Of which one pass is made, or as much of it as the method remembers.
        trainer: That validates; its steps are the batches that are read of data without end.
        path: Of the checkpoint.

    Returns:
        The figures of the validation.

    Raises:
        UserError: There are several processes, or the disk refuses.
    """
    if trainer.world_size > 1:
        raise UserError("this method reads the data once, in one process: give trainer.devices=1.")
    data.setup("fit")
    with torch.no_grad():
        module.inverter.fit_data(_examples(module, data, trainer.max_steps))
    content = {
        "state_dict": module.state_dict(),
        "pytorch-lightning_version": lightning.__version__,
        "global_step": 0,
        ENTRY: {"record": module.record.to_dict(), **_standard(module, data)},
    }
    WholeFiles().save_checkpoint(content, path)
    if not data.validates:
        return {}
    found = trainer.validate(module, datamodule=data, verbose=False)
    return {name: float(value) for one in found for name, value in sorted(one.items())}


def _examples(module: InverterModule, data: ResumableData, most: int) -> Iterator[Examples]:
    loader = data.watched(data.make_train_loader())
    # What is drawn without end has no pass; it is read for as many steps as others train.
    endless = isinstance(loader.order, EndlessOrder)
    batches = itertools.islice(itertools.chain.from_iterable(itertools.repeat(loader)), most) if endless else loader
    for batch in batches:
        yield module.translation(data.finished(batch, training=True))


def _standard(module: InverterModule, data: ResumableData) -> dict[str, Any]:
    one = data.finish().standards.get(module.translation.feature)
    return {} if one is None else {"standard": {"mean": one.mean.cpu(), "scale": one.scale.cpu()}}
