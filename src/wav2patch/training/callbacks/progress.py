"""What is shown while a run is under way."""

from __future__ import annotations

from typing import Any

import lightning
from lightning.pytorch.callbacks import RichProgressBar


class Progress(RichProgressBar):
    """Lightning's bar, made with Rich, without the number that its loggers give a run."""

    def __init__(self) -> None:
        super().__init__(leave=False)

    def get_metrics(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> dict[str, Any]:
        """The losses."""
        return {name: value for name, value in super().get_metrics(trainer, pl_module).items() if name != "v_num"}
