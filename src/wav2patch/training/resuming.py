"""Data modules that begin a resumed run exactly where it stopped."""

from __future__ import annotations

from abc import abstractmethod
from types import MethodType
from typing import Any, TypeVar, cast

import lightning

from wav2patch.rendering.choose import available_cores
from wav2patch.training.ahead import AheadLoader, Prepare
from wav2patch.training.clips import Batch
from wav2patch.training.finish import Finish
from wav2patch.training.loader import Loader, State
from wav2patch.training.sampler import Share

L = TypeVar("L", bound=Loader)

_MOST_THREADS = 4


class ResumableData(lightning.LightningDataModule):
    """A data module whose place in the middle of an epoch is part of every checkpoint.

    Lightning alone restores a loader's state in some cases only, and counts a batch as soon as it is fetched. Here the
    module keeps the state, and only batches count that the weights have seen; so it does not matter when a checkpoint
    was made, not even after an exception or Ctrl-C. With accumulated gradients that is so for checkpoints between two
    optimizer steps, as Lightning does not save gradients. Random numbers of the model are the model's affair.

    Attributes:
        prepare: What is done to training batches ahead of time; a model sets it before it asks for them.
    """

    prepare: Prepare | None = None
    _loader: Loader | None = None
    _loaded: State | None = None
    _left: State | None = None
    _left_by: lightning.Trainer | None = None

    def __init__(self) -> None:
        super().__init__()
        # In validation, a rank may have no row left.
        self.allow_zero_length_dataloader_with_multiple_devices = True
        self._watched: list[Loader] = []

    @abstractmethod
    def make_train_loader(self) -> Loader:
        """A loader at the beginning of the first epoch."""

    @abstractmethod
    def finish(self) -> Finish:
        """What becomes of batches on the device."""

    @property
    @abstractmethod
    def validates(self) -> bool:
        """Whether there is anything to validate on."""

    def setup(self, stage: str) -> None:
        """Have Lightning leave validation out where there is nothing to validate on."""
        vars(self).pop("val_dataloader", None)
        if stage == "fit" and not self.validates:
            # As if the method were not there. An empty list would be warned about, and be validated on.
            self.val_dataloader = MethodType(lightning.LightningDataModule.val_dataloader, self)

    def train_dataloader(self) -> Loader:
        """Training batches, from where the run stands."""
        # Lightning asks again with `reload_dataloaders_every_n_epochs`, and when a trainer is told to go on.
        self._leave()
        state = self._loaded or (self._left if self.trainer is self._left_by else None)
        self._loaded = None
        self._loader = loader = self.watched(self._ahead_of(self.make_train_loader()))
        if state is not None:
            loader.load_state_dict(state)
        if self.trainer is not None:
            loader.trained = _Trained(self.trainer)
        return loader

    @property
    def share(self) -> Share:
        """This rank."""
        return Share(self.trainer.global_rank, self.trainer.world_size) if self.trainer is not None else Share()

    def state_dict(self) -> State:
        """Where training is, for a checkpoint."""
        state = self._loader.state_dict() if self._loader is not None else self._loaded or self._left
        return {"train": state} if state else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        self._loaded = state_dict.get("train")

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Finish a batch on its device."""
        training = self.trainer is not None and bool(self.trainer.training)
        return self.finished(cast(Batch, batch), training=training)

    def finished(self, batch: Batch, *, training: bool) -> Batch:
        """A batch as a model gets it, in training or otherwise, which a trainer need not be there for."""
        return self.finish()(batch, training=training)

    def on_exception(self, exception: BaseException) -> None:
        """Let go of what works in the background."""
        self.close()

    def teardown(self, stage: str) -> None:
        """Let go of what works in the background."""
        self.close()

    def close(self) -> None:
        """End workers; the module can be used again."""
        # Or Lightning would warn that it is not there when it is given the module again.
        vars(self).pop("val_dataloader", None)
        self._leave()
        for one in self._watched:
            one.close()
        self._watched.clear()

    def _ahead_of(self, loader: Loader) -> Loader:
        if self.prepare is None:
            return loader
        threads = min(_MOST_THREADS, available_cores() // (2 * self.share.world)) or 1
        return AheadLoader(loader, self.prepare, threads=threads)

    def _leave(self) -> None:
        loader, self._loader = self._loader, None
        if loader is not None:
            self._left, self._left_by = loader.state_dict(), self.trainer
            self._watched.remove(loader)
            loader.close()

    def watched(self, loader: L) -> L:
        """A loader that is closed with the module."""
        self._watched.append(loader)
        return loader


class _Trained:
    """Lightning's own count; it starts to count a batch as processed when the optimizer has stepped."""

    def __init__(self, trainer: lightning.Trainer) -> None:
        self._trainer = trainer

    @property
    def batches(self) -> int:
        counts: Any = self._trainer.fit_loop.epoch_loop.batch_progress.total
        return counts.processed

    @property
    def limit(self) -> float:
        return self._trainer.num_training_batches
