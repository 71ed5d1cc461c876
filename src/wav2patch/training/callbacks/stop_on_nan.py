"""An end to training that has failed."""

from __future__ import annotations

from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from wav2patch.errors import UserError


class StopOnNan(Callback):
    """Stops a run whose loss is not a finite number any more, before a checkpoint of it is written.

    Args:
        every: Steps between two looks; a GPU has to be waited for at each. No checkpoint is written between a bad loss
            and the look that finds it.
    """

    def __init__(self, every: int = 20) -> None:
        self.every = every
        self._bad: Tensor | None = None
        self._since_look = 0

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Nothing is wrong yet."""
        self._bad, self._since_look = None, 0

    def on_before_backward(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, loss: Tensor
    ) -> None:
        """Note a bad loss, and look where that costs nothing or is due."""
        step = torch.full((), trainer.global_step, device=loss.device)
        bad = torch.where(torch.isfinite(loss.detach()), -1, step)
        # Of several bad ones the first counts.
        self._bad = bad if self._bad is None else torch.where(self._bad >= 0, self._bad, bad)
        self._since_look += 1
        if loss.device.type == "cpu" or self._since_look >= self.every:
            self._look(pl_module)

    def on_save_checkpoint(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Keep the checkpoint that is there."""
        self._look(pl_module)

    def _look(self, module: lightning.LightningModule) -> None:
        self._since_look = 0
        if self._bad is None or (step := int(self._bad)) < 0:
            return
        rate = getattr(module, "learning_rate", None)
        now = "" if rate is None else f" than {rate:g}"
        raise UserError(
            f"the loss was no finite number any more at step {step}: go on from the last checkpoint with a lower "
            f"learning rate{now}, or with clipped gradients."
        )
