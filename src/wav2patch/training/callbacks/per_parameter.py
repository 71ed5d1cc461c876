"""How far off each parameter is, by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
import torch
from torch import Tensor

from wav2patch.models.layout import Layout
from wav2patch.training.callbacks.first_rows import FirstRows
from wav2patch.training.callbacks.pictures import add_row, log_figures


class ParameterErrors(FirstRows):
    """Errors of one proposal for each of the first validation rows.

    All of them go to ``parameter_errors.csv``, a column each; the largest ones to the loggers.

    Args:
        folder: Of the run.
        rows: That are asked for, those of the first process where there are several.
        worst: How many go to the loggers.
        seed: Of the proposals, always the same.
    """

    def __init__(self, folder: Path, rows: int = 256, worst: int = 10, seed: int = 0) -> None:
        super().__init__(rows)
        self.folder, self.worst, self.seed = folder, worst, seed

    def show(self, trainer: lightning.Trainer, module: Any, batch: dict[str, Tensor]) -> None:
        """See `FirstRows`."""
        proposed, wanted = self.proposals(module, batch, self.seed)
        layout: Layout = module.inverter.layout
        found = parameter_errors(layout, proposed, wanted).mean(dim=0).tolist()
        errors = dict(zip(layout.names, found, strict=True))
        add_row(self.folder / "parameter_errors.csv", trainer.global_step, errors)
        largest = sorted(errors, key=lambda name: errors[name], reverse=True)[: self.worst]
        mean = {"val/parameter_error": sum(found) / len(found)}
        log_figures(trainer, mean | {f"val/parameter_error/{name}": errors[name] for name in largest})


def parameter_errors(layout: Layout, proposed: Tensor, wanted: Tensor) -> Tensor:
    """Errors ``(n, P)`` of vectors ``(n, D)`` in [−1, 1].

    Of a number the distance as a part of its range, of a categorical parameter 1 for a wrong choice.
    """
    errors = []
    for kind, columns in zip(layout.kinds, layout.columns, strict=True):
        mine, theirs = proposed[:, columns], wanted[:, columns]
        if kind == "categorical":
            errors.append((mine.argmax(dim=1) != theirs.argmax(dim=1)).float())
        else:
            errors.append((mine.clamp(-1.0, 1.0) - theirs).abs()[:, 0] / 2.0)
    return torch.stack(errors, dim=1)
