"""What is shown of the first rows that are validated on."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor


class FirstRows(Callback):
    """Collects the first validation rows, and shows something of them when validation ends.

    Only the first of several processes does, with the rows that it has.

    Args:
        rows: How many.
        every: Validations from one time to the next.
    """

    def __init__(self, rows: int, every: int = 1) -> None:
        self.rows, self.every = rows, every
        self._validations = 0
        self._parts: list[dict[str, Tensor]] = []

    @abstractmethod
    def show(self, trainer: lightning.Trainer, module: Any, batch: dict[str, Tensor]) -> None:
        """Show something of the rows, which are one batch; the module is an `InverterModule` in evaluation mode."""

    def on_validation_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Collect."""
        left = self.rows - sum(len(part["index"]) for part in self._parts)
        if left > 0 and trainer.is_global_zero and not trainer.sanity_checking:
            self._parts.append({name: value[:left] for name, value in batch.items() if isinstance(value, Tensor)})

    def on_validation_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Show."""
        parts, self._parts = self._parts, []
        if not parts:
            return
        due, self._validations = self._validations % self.every == 0, self._validations + 1
        if due:
            batch = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
            with torch.no_grad():
                self.show(trainer, pl_module, batch)

    def state_dict(self) -> dict[str, Any]:
        """Validations so far."""
        return {"validations": self._validations}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        self._validations = int(state_dict["validations"])

    @staticmethod
    def proposals(module: Any, batch: dict[str, Tensor], seed: int) -> tuple[Tensor, Tensor]:
        """One proposal a row, and what is wanted, both ``(n, D)`` in [−1, 1] on the processor."""
        examples = module.translation(batch)
        generator = torch.Generator(examples.features.device).manual_seed(seed)
        proposed = module.inverter.propose_batch(examples.features, examples.notes, 1, generator)[:, 0]
        return proposed.float().cpu(), examples.vectors.float().cpu()
