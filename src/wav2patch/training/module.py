"""Inverters as Lightning modules."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, get_args

import lightning
import torch
from torch import Tensor

from wav2patch.errors import UserError
from wav2patch.models.inverters.base import Learner, Losses
from wav2patch.models.noise import Noise
from wav2patch.training.clips import Batch
from wav2patch.training.examples import EPOCH, Preparation, Translation
from wav2patch.training.resuming import ResumableData
from wav2patch.training.saving import ENTRY
from wav2patch.training.schedules import Plateau, Scale, Schedule
from wav2patch.weights.record import Record

HELD_OUT_EPOCH = -1
"""Of the noise in validation and tests: always the same, so that the figures of a run can be compared."""


class InverterModule(lightning.LightningModule):
    """Trains an inverter; a run with the same data and seed gives the same weights, resumed or not.

    Checkpoints hold under `ENTRY` the record and, if features are standardised, by what.

    Args:
        inverter: What is trained. Its initial weights are the caller's affair.
        record: Of the inverter; what it learns from follows from it.
        learning_rate: At its highest.
        weight_decay: Of AdamW; 0 is Adam.
        betas: Of Adam.
        eps: Of Adam.
        schedule: ``"cosine"`` falls to `final_scale` of the learning rate at the last step; ``"constant"`` stays;
            ``"plateau"`` falls to a tenth when the loss of `plateau_patience` validations has been no better.
        warmup_steps: In which the learning rate rises from 0, a straight line.
        hold_steps: At the highest, before a cosine falls.
        cycles: Relative lengths of the falls of a cosine, each of which begins at the highest.
        plateau_patience: Validations.
        final_scale: Of the learning rate at the end.
        total_steps: At which the schedule ends; by default where the trainer does. A run that will be prolonged needs
            the same number from the beginning.
        seed: Of all noise.
        mask_inaudible: Whether parameters that cannot be heard in a patch weigh nothing.
        embedding: Words of the embedding that examples have beside what is heard, if any.
        compile: Whether the networks are compiled.
    """

    def __init__(
        self,
        inverter: Learner,
        record: Record,
        *,
        learning_rate: float = 1e-4,
        weight_decay: float = 0.0,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        schedule: Schedule = "cosine",
        warmup_steps: int = 0,
        hold_steps: int = 0,
        cycles: tuple[float, ...] = (1.0,),
        plateau_patience: int = 5,
        final_scale: float = 0.01,
        total_steps: int | None = None,
        seed: int = 0,
        mask_inaudible: bool = False,
        embedding: str | None = None,
        compile: bool = False,
    ) -> None:
        super().__init__()
        if schedule not in get_args(Schedule):
            raise UserError(f"there is no schedule called {schedule!r}: choose from {', '.join(get_args(Schedule))}.")
        if not cycles or min(cycles) <= 0.0:
            raise UserError("module.cycles are the relative lengths of a cosine's falls, such as [1,2].")
        self.save_hyperparameters(ignore=["inverter", "record"])
        self.inverter, self.record, self.seed = inverter, record, seed
        self.learning_rate, self.weight_decay, self.betas = learning_rate, weight_decay, (betas[0], betas[1])
        self.eps = eps
        self.schedule: Schedule = schedule
        self.warmup_steps, self.hold_steps, self.cycles, self.final_scale = (
            warmup_steps,
            hold_steps,
            cycles,
            final_scale,
        )
        self.plateau = Plateau(plateau_patience) if schedule == "plateau" else None
        self.total_steps, self.compiles = total_steps, compile
        self.translation = Translation(record, mask_inaudible, embedding)
        self._standard: dict[str, Tensor] | None = None

    def setup(self, stage: str) -> None:
        """Have the data prepared ahead of time, and the networks compiled."""
        data = self._data
        if data is not None:
            self._standard = _standard_of(data, self.translation.feature)
            data.prepare = Preparation(self.translation, self.inverter, self.seed) if stage == "fit" else None
        if self.compiles:
            self.compiles = False
            for network in self.inverter.children():
                network.compile()

    def teardown(self, stage: str) -> None:
        """Let the data go."""
        if self._data is not None:
            self._data.prepare = None

    def training_step(self, batch: Batch, batch_idx: int) -> Losses:
        """The loss of a batch, and what the inverter says of its rows under names that begin with ``_``."""
        epoch: Any = batch.get(EPOCH, self.current_epoch)
        losses = self._losses(batch, epoch)
        self._log_all("train", losses, len(batch["index"]))
        return losses

    def validation_step(self, batch: Batch, batch_idx: int) -> Losses:
        """The loss of a batch that is held out."""
        return self._held_out("val", batch)

    def on_validation_epoch_end(self) -> None:
        """Have the learning rate fall where nothing gets better."""
        if self.plateau is not None and self.trainer.state.fn == "fit":
            self.plateau.update(float(self.trainer.callback_metrics["val/loss"]))

    def test_step(self, batch: Batch, batch_idx: int) -> Losses:
        """As `validation_step`."""
        return self._held_out("test", batch)

    def configure_optimizers(self) -> Any:
        """Adam, or AdamW where weights decay, and the schedule, step by step.

        Raises:
            UserError: The schedule needs an end, and there is none.
        """
        weights = [one for one in self.inverter.parameters() if one.requires_grad]
        kind = torch.optim.AdamW if self.weight_decay else torch.optim.Adam
        # One pass over the weights instead of a dozen: on a processor a step of Adam is then three to five times as
        # fast. Not in half precision, in which Lightning cannot clip the gradients of a fused optimizer.
        fused = all(one.device.type == "cpu" for one in weights) and "mixed" not in (self._precision or "")
        optimizer = kind(
            weights, self.learning_rate, betas=self.betas, eps=self.eps, weight_decay=self.weight_decay, fused=fused
        )
        scale = Scale(
            self.schedule,
            warmup=self.warmup_steps,
            hold=self.hold_steps,
            last=self._last_step(),
            final=self.final_scale,
            cycles=self.cycles,
        )
        lowered = Plateau() if self.plateau is None else self.plateau
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: scale(step) * lowered.scale)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the record, and what standardises features."""
        kept: dict[str, Any] = {"record": self.record.to_dict()}
        if self._standard is not None:
            kept["standard"] = self._standard
        if self.plateau is not None:
            kept["plateau"] = self.plateau.state_dict()
        checkpoint[ENTRY] = kept
        _forget_begun_batch(checkpoint)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse a checkpoint of another model.

        Raises:
            UserError: It is one.
        """
        kept: Any = checkpoint.get(ENTRY)
        if not isinstance(kept, Mapping):
            raise UserError("the checkpoint was not written by wav2patch: start without it.")
        there, here = Record.from_dict(kept["record"], "the checkpoint").to_dict(), self.record.to_dict()
        for name in here:
            if name != "version" and there[name] != here[name]:
                raise UserError(
                    f"the checkpoint is of a model with another {name} ({_brief(there[name])}, and now "
                    f"{_brief(here[name])}): resume it with its own settings, or start without it."
                )
        if self.plateau is not None and "plateau" in kept:
            self.plateau.load_state_dict(kept["plateau"])

    @property
    def _precision(self) -> str | None:
        return None if self._trainer is None else str(self._trainer.precision)

    @property
    def _data(self) -> ResumableData | None:
        data: Any = getattr(self._trainer, "datamodule", None)
        return data if isinstance(data, ResumableData) else None

    def _losses(self, batch: Batch, epoch: int) -> Losses:
        return self.inverter.loss(self.translation(batch), Noise(self.seed, epoch, batch["index"]))

    def _held_out(self, name: str, batch: Batch) -> Losses:
        losses = self._losses(batch, HELD_OUT_EPOCH)
        self._log_all(name, losses, len(batch["index"]))
        return losses

    def _log_all(self, stage: str, losses: Losses, size: int) -> None:
        # Over several processes Lightning rounds the mean of whole numbers of rows; of fractions it does not.
        options: dict[str, Any] = {"batch_size": float(size)}
        if stage != "train":
            options |= {"sync_dist": True, "on_epoch": True, "on_step": False}
        for name, value in losses.items():
            if not name.startswith("_"):
                self.log(f"{stage}/{name}", value.detach(), prog_bar=name == "loss", **options)

    def _last_step(self) -> float:
        if self.total_steps is not None:
            return self.total_steps
        if self.schedule != "cosine":
            return math.inf
        ended = self.trainer.max_steps if self.trainer.max_steps > 0 else math.inf
        last = min(ended, self.trainer.estimated_stepping_batches) if self.trainer.max_epochs != -1 else ended
        if math.isinf(last):
            raise UserError("a run without an end cannot follow a cosine: give max_steps, or schedule=constant.")
        return last


def _forget_begun_batch(checkpoint: dict[str, Any]) -> None:
    """A batch that an error struck is done again; Lightning counts it twice, and would validate a step too early."""
    counts = checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]["total"]
    counts["ready"] = counts["started"] = counts["processed"]


def _standard_of(data: ResumableData, feature: str) -> dict[str, Tensor] | None:
    """What a feature is less by and what it is multiplied by, as `Standardize` has them."""
    one = data.finish().standards.get(feature)
    return None if one is None else {"mean": one.mean.cpu().clone(), "scale": one.scale.cpu().clone()}


def _brief(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"
