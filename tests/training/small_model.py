"""A model small enough to train in a test, and quiet ways to train it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn

from wav2patch.datasets.views.view import View
from wav2patch.datasets.views.view_file import ViewContent, write_view_file

FEATURE = "features/log_mel"

# What Lightning says on its own account, and cannot be asked not to.
QUIET = (
    # PyTorch's own trees, as Lightning uses them.
    "ignore:.*`isinstance\\(treespec, LeafSpec\\)` is deprecated:FutureWarning",
    # The tests resume without the callbacks that saved.
    "ignore:Be aware that when using `ckpt_path`, callbacks used to create the checkpoint:UserWarning",
)


class SmallModel(lightning.LightningModule):
    """Guesses parameters from features by Adam, whose moments make every step depend on all those before it."""

    def __init__(self, stop_at: int | None = None, error: type[BaseException] = RuntimeError) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.LazyLinear(8)
        self.stop_at, self.error = stop_at, error
        self.seen: list[list[int]] = []
        self.validated: list[int] = []

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        return self.layer(batch[FEATURE].flatten(1))

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        if self.stop_at is not None and self.global_step == self.stop_at:
            raise self.error("stopped")
        self.seen.append(batch["index"].tolist())
        return self._loss(batch)

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        self.validated += batch["index"].tolist()

    test_step = validation_step

    def configure_optimizers(self) -> Any:
        return torch.optim.Adam(self.parameters(), lr=1e-3)

    def _loss(self, batch: dict[str, Tensor]) -> Tensor:
        return (self(batch) - batch["parameters"]).square().mean()


def ready_model(features: int, **options: Any) -> SmallModel:
    """The model with weights for so many numbers."""
    model = SmallModel(**options)
    model.layer(torch.zeros(1, features))
    return model


def make_trainer(folder: Path, *, callbacks: Sequence[Callback] = (), **options: Any) -> lightning.Trainer:
    """A trainer that prints nothing."""
    settings: dict[str, Any] = {
        "accelerator": "cpu",
        "devices": 1,
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "enable_checkpointing": bool(callbacks),
        "num_sanity_val_steps": 0,
        "default_root_dir": folder,
    }
    return lightning.Trainer(**(settings | options), callbacks=list(callbacks))


def cut(whole: View, folder: Path, name: str, rows: range) -> Path:
    """A view of some rows that lie side by side in one shard each."""
    extents = []
    for extent in whole.extents:
        start = sum(one.rows for one in whole.extents[: whole.extents.index(extent)])
        first, stop = max(rows.start - start, 0), min(rows.stop - start, extent.rows)
        if first < stop:
            extents.append(type(extent)(extent.path, first, stop - first))
    path = folder / f"{name}.h5"
    write_view_file(path, ViewContent(name, whole.recipe, tuple(extents), dict(whole.fields)))
    return path
