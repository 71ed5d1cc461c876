"""Pictures of what a field learns about which parameters belong together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from numpy.typing import NDArray
from torch import Tensor

from wav2patch.models.layout import Layout
from wav2patch.training.callbacks.pictures import show_figure

_MOST_NAMES = 64


class AssignmentPictures(Callback):
    """The assignment of parameters to tokens, and how alike the parameters' embeddings are, at each validation.

    It needs a field with ``assignment`` ``(tokens, D)``, ``embedding_in`` and ``embedding_out`` ``(D, width)``, such as
    `AssignedTransformer`; with others it does nothing.

    Args:
        folder: Of the run.
        every: Validations from one picture to the next.
    """

    def __init__(self, folder: Path, every: int = 1) -> None:
        self.folder, self.every = folder, every
        self._validations = 0

    def on_validation_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Draw."""
        field: Any = next((one for one in pl_module.modules() if hasattr(one, "assignment")), None)
        if field is None or trainer.sanity_checking or not trainer.is_global_zero:
            return
        due, self._validations = self._validations % self.every == 0, self._validations + 1
        if not due:
            return
        inverter: Any = pl_module.inverter
        names = column_names(inverter.layout)
        pictures = {
            "assignment": _assignment(field.assignment, names),
            "similarity_in": _similarity(field.embedding_in, names),
            "similarity_out": _similarity(field.embedding_out, names),
        }
        for name, (draw, size) in pictures.items():
            show_figure(trainer, self.folder / "pictures" / f"{name}.png", f"field/{name}", draw, size)


def column_names(layout: Layout) -> list[str]:
    """One name a column: the parameter's, and of a categorical one the number of the choice."""
    return [
        name if width == 1 else f"{name} [{choice}]"
        for name, width in zip(layout.names, layout.widths, strict=True)
        for choice in range(width)
    ]


def similarity(embeddings: Tensor) -> NDArray[np.float32]:
    """Cosines ``(D, D)`` between rows ``(D, width)``."""
    rows = torch.nn.functional.normalize(embeddings.detach().float(), dim=1)
    return (rows @ rows.T).cpu().numpy()


def _assignment(assignment: Tensor, names: list[str]) -> tuple[Any, tuple[float, float]]:
    values = assignment.detach().float().cpu().numpy()
    most = float(np.abs(values).max()) or 1.0
    width = min(4.0 + 0.16 * values.shape[1], 24.0)

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        image = axes.imshow(values, cmap="RdBu", vmin=-most, vmax=most, aspect="auto", interpolation="nearest")
        axes.set(xlabel="parameter", ylabel="token", title="assignment of parameters to tokens")
        _name(axes.xaxis, names, rotation=90)
        figure.colorbar(image)

    return draw, (width, min(3.0 + 0.08 * len(values), 14.0))


def _similarity(embeddings: Tensor, names: list[str]) -> tuple[Any, tuple[float, float]]:
    values = similarity(embeddings)
    side = min(4.0 + 0.14 * len(values), 20.0)

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        image = axes.imshow(values, cmap="RdBu", vmin=-1.0, vmax=1.0, interpolation="nearest")
        axes.set_title("cosine between the parameters' embeddings")
        _name(axes.xaxis, names, rotation=90)
        _name(axes.yaxis, names)
        figure.colorbar(image)

    return draw, (side, side)


def _name(axis: Any, names: list[str], **options: Any) -> None:
    """Names beside an axis, as many as can be read."""
    places = range(0, len(names), -(-len(names) // _MOST_NAMES))
    axis.set_ticks(list(places), [names[place] for place in places], fontsize=6, **options)
