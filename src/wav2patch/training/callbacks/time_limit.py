"""Stopping a run after some hours, so that the same command goes on with it later."""

from __future__ import annotations

import time
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback


class TimeLimit(Callback):
    """Stops after so many hours of this call.

    Lightning's own timer keeps the elapsed time in the checkpoint: a run that went on would stop at once.

    Args:
        hours: From the start of the fit.
    """

    def __init__(self, hours: float) -> None:
        self.hours = hours
        self._ends = float("inf")

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Look at the clock."""
        self._ends = time.monotonic() + 3600.0 * self.hours

    def on_train_batch_end(self, trainer: lightning.Trainer, *args: Any, **options: Any) -> None:
        """Stop all ranks at the same step if time is up on one."""
        if trainer.strategy.reduce_boolean_decision(time.monotonic() >= self._ends, all=False):
            trainer.should_stop = True
