"""Where between noise and patch a flow's loss lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from wav2patch.training.callbacks.pictures import add_row, show_figure


class LossByTime(Callback):
    """The validation loss in steps of a flow's time, as a table and a picture at each validation.

    It needs losses that tell ``_rows`` and ``_times``; with others it does nothing.

    Args:
        folder: Of the run.
        bins: Steps of time.
    """

    def __init__(self, folder: Path, bins: int = 20) -> None:
        self.folder, self.bins = folder, bins
        self._sums: Tensor | None = None

    def on_validation_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Sort the rows of a batch."""
        if isinstance(outputs, dict) and "_rows" in outputs and "_times" in outputs and not trainer.sanity_checking:
            found = binned(outputs["_rows"].detach(), outputs["_times"].detach(), self.bins)
            self._sums = found if self._sums is None else self._sums + found

    def on_validation_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Show the mean of each step."""
        sums, self._sums = self._sums, None
        if sums is None or not trainer.is_global_zero:
            return
        totals, counts = sums.cpu().double()
        means = (totals / counts).tolist()
        middles = [(number + 0.5) / self.bins for number in range(self.bins)]
        row = {f"t={time:.3f}": mean for time, mean in zip(middles, means, strict=True)}
        add_row(self.folder / "loss_by_time.csv", trainer.global_step, row)

        def draw(figure: Any) -> None:
            axes = figure.add_subplot()
            axes.bar(middles, means, width=0.9 / self.bins)
            axes.set(xlabel="time (0 noise, 1 patch)", ylabel="loss", title=f"step {trainer.global_step}")

        show_figure(trainer, self.folder / "pictures" / "loss_by_time.png", "val/loss_by_time", draw, (6, 3.5))


def binned(rows: Tensor, times: Tensor, bins: int) -> Tensor:
    """Sums and counts ``(2, bins)`` of losses ``(n,)`` by times ``(n,)`` in [0, 1]."""
    member = torch.nn.functional.one_hot((times * bins).long().clamp(0, bins - 1), bins).to(rows.dtype)
    return torch.stack([rows @ member, member.sum(dim=0)])
