"""The checkpoints of a run: the last one and the best one, each whole or absent."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

from wav2patch.errors import UserError
from wav2patch.files import atomic_path

LAST, BEST = "last.ckpt", "best.ckpt"


class WholeFiles(TorchCheckpointIO):
    """Writes checkpoints under a temporary name beside their own, so that an error costs none that was there.

    Lightning writes them to the system's folder for temporary files first, which may be small or on another disk.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """Write a checkpoint.

        Raises:
            UserError: The disk is full, or the folder cannot be written to.
        """
        if "://" in str(path):
            super().save_checkpoint(checkpoint, path, storage_options)
            return
        with atomic_path(Path(path)) as temporary:
            try:
                with temporary.open("wb") as file:
                    torch.save(checkpoint, file)
            except RuntimeError as error:
                raise _cause(error) from None


class Checkpoints(Checkpoint):
    """Keeps ``last.ckpt``, from which a run goes on exactly, and ``best.ckpt`` with the least validation loss.

    The last one is written every few steps, after each validation, when training ends, and when it is stopped by an
    error or Ctrl-C; not where that strikes within a step, as weights and moments are half changed then.

    Args:
        folder: Where they lie.
        every: Steps from one to the next.
        monitor: Figure of the validation that is to be small.
    """

    def __init__(self, folder: Path, every: int = 1_000, monitor: str = "val/loss") -> None:
        self.folder, self.every, self.monitor = folder, every, monitor
        self.best = math.inf
        self._within_step = False
        self._saved = -1

    @property
    def last_path(self) -> Path:
        """Of the last checkpoint, which need not be there yet."""
        return self.folder / LAST

    @property
    def best_path(self) -> Path:
        """Of the best checkpoint, which need not be there yet."""
        return self.folder / BEST

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """What is on the disk may be of another run."""
        self._within_step, self._saved = False, trainer.global_step

    def on_before_optimizer_step(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        """From here on the weights change."""
        self._within_step = True

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Write the last one every few steps."""
        self._within_step = False
        if trainer.global_step % self.every == 0 and trainer.global_step != self._saved:
            self._save_last(trainer)

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write both, the best one if this is it.

        Raises:
            UserError: There is no such figure as is to be small.
        """
        if trainer.state.fn != "fit" or trainer.sanity_checking:
            return
        found = trainer.callback_metrics.get(self.monitor)
        if found is None:
            known = ", ".join(sorted(trainer.callback_metrics)) or "none"
            raise UserError(f"there is no figure called {self.monitor} to choose the best checkpoint by, but {known}.")
        if float(found) < self.best:
            self.best = float(found)
            trainer.save_checkpoint(self.best_path)
        self._save_last(trainer)

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write the last one, if it is not there.

        Not twice: by now Lightning counts a step more, and a run that went on would number its steps from there.
        """
        if self._saved != trainer.global_step or not self.last_path.exists():
            self._save_last(trainer)

    def on_exception(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, exception: BaseException
    ) -> None:
        """Write the last one, unless there is nothing new or no way."""
        if trainer.global_step > max(self._saved, 0) and not self._within_step and not isinstance(exception, UserError):
            self._save_last(trainer)

    def state_dict(self) -> dict[str, Any]:
        """The least figure so far, and which one it is."""
        return {"best": self.best, "monitor": self.monitor}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there, or from nothing where another figure is to be small."""
        if state_dict.get("monitor", self.monitor) == self.monitor:
            self.best = float(state_dict["best"])

    def _save_last(self, trainer: lightning.Trainer) -> None:
        trainer.save_checkpoint(self.last_path)
        self._saved = trainer.global_step


def _cause(error: BaseException) -> BaseException:
    """What the disk said, below what PyTorch made of it."""
    below: BaseException | None = error
    while below is not None and not isinstance(below, OSError):
        below = below.__context__
    return below or error
