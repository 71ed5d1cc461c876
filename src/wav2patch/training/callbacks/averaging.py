"""A running mean of the weights, which is what is validated, kept and used."""

from __future__ import annotations

from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor

LEARNING_KEY = "learning_state_dict"
"""Of a checkpoint: the weights that are trained on; its ``state_dict`` has the mean."""

Weights = dict[str, Tensor]


class Averaging(Callback):
    """Exponential moving average of the weights (EMA), Polyak and Juditsky (1992) with forgetting.

    The mean is validated, is what a checkpoint's ``state_dict`` holds, and is in the module when training ends. Early
    on it forgets faster: at step n the decay is at most (1 + n)/(10 + n). Unlike Lightning's callback it does not
    confuse the two sets of weights in checkpoints that are made after training, or after an error in validation.

    Args:
        decay: What of the mean stays at each step, in [0, 1).

    Raises:
        ValueError: The decay is out of range.
    """

    def __init__(self, decay: float = 0.999) -> None:
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"a decay is at least 0 and less than 1, not {decay}")
        self.decay = decay
        self._other: Weights = {}  # the mean, or while the module has the mean, what is trained
        self._in_use = False
        self._updates, self._step = 0, 0
        self._module: lightning.LightningModule | None = None

    def setup(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, stage: str) -> None:
        """Begin with the weights as they are; go on with the ones that are trained after an earlier run."""
        if stage != "fit":
            return
        if pl_module is not self._module:
            self._module, self._in_use, self._updates = pl_module, False, 0
            self._other = {name: value.clone() for name, value in _weights(pl_module).items()}
        self._use(pl_module, False)

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Have the mean on the device."""
        self._step = trainer.global_step
        self._follow(pl_module)

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Follow a step of the optimizer."""
        if trainer.global_step == self._step:
            return
        self._step = trainer.global_step
        self._updates += 1
        share = 1.0 - min(self.decay, (1 + self._updates) / (10 + self._updates))
        with torch.no_grad():
            for name, value in _weights(pl_module).items():
                mean = self._other[name]
                _ = mean.lerp_(value, share) if mean.is_floating_point() else mean.copy_(value)

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Validate the mean."""
        if self._other and trainer.state.fn == "fit":
            self._follow(pl_module)
            self._use(pl_module, True)

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Train on."""
        if trainer.state.fn == "fit":
            self._use(pl_module, False)

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Leave the mean in the module."""
        self._use(pl_module, True)

    def on_exception(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, exception: BaseException
    ) -> None:
        """Leave what was trained, for whoever goes on with the module."""
        self._use(pl_module, False)

    def state_dict(self) -> dict[str, Any]:
        """How often the weights were followed; the mean itself is the checkpoint's ``state_dict``."""
        return {"updates": self._updates}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        self._updates = int(state_dict["updates"])

    def on_save_checkpoint(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Put the mean in ``state_dict``, and what is trained beside it."""
        if not self._other:
            return
        present = checkpoint["state_dict"]
        other = {**present, **{name: value.clone() for name, value in self._other.items()}}
        mean, learning = (present, other) if self._in_use else (other, present)
        checkpoint["state_dict"], checkpoint[LEARNING_KEY] = mean, learning

    def on_load_checkpoint(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Take both; the module has the mean already. A run without averaging is followed from here on."""
        if trainer.state.fn != "fit":
            return
        self._in_use = False
        mean = checkpoint["state_dict"]
        self._other = {name: mean[name].detach().clone() for name in _weights(pl_module)}
        pl_module.load_state_dict(checkpoint.get(LEARNING_KEY, mean))

    def _use(self, module: lightning.LightningModule, mean: bool) -> None:
        """Have the mean in the module, or what is trained."""
        if self._in_use != mean and self._other:
            with torch.no_grad():
                for name, value in _weights(module).items():
                    kept = self._other[name].to(value.device)
                    self._other[name] = value.clone()
                    value.copy_(kept)
            self._in_use = mean

    def _follow(self, module: lightning.LightningModule) -> None:
        self._other = {name: self._other[name].to(value.device) for name, value in _weights(module).items()}


def _weights(module: lightning.LightningModule) -> Weights:
    """All of a state dict, by reference."""
    return {name: value.detach() for name, value in module.state_dict().items()}
