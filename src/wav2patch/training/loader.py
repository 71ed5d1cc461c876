"""Batches that go on exactly where training stopped, wherever they come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import torch
from torch.utils.data import DataLoader, Dataset

from wav2patch.errors import UserError
from wav2patch.training.clips import Batch
from wav2patch.training.sampler import BatchOrder, Rows

State = dict[str, Any]


class Trained(Protocol):
    """What counts batches as they are trained on."""

    @property
    def batches(self) -> int:
        """Batches that the weights have seen, in all epochs together."""
        ...

    @property
    def limit(self) -> float:
        """Batches after which an epoch is over."""
        ...


class Loader(ABC):
    """Batches, epoch after epoch; each pass over it is one epoch.

    The next pass is the next epoch, even if this one was left early. A state holds the epoch and how many of its
    batches were trained on, and is the same on all ranks. Without `trained` these are the batches that were given
    out: what workers have read ahead does not count.

    Args:
        order: Which rows make up a batch.
        marks: What else has to be alike for a batch to be the same in a resumed run, by name.
        trained: Counts batches, for a trainer that fetches a batch before it is done with the one before.
    """

    def __init__(
        self, order: BatchOrder, marks: Mapping[str, str | int] | None = None, trained: Trained | None = None
    ) -> None:
        self.order, self.trained = order, trained
        self.marks: dict[str, str | int] = {**(marks or {}), **order.marks}
        self._epoch, self._given, self._between = 0, 0, True
        self._before = 0

    @abstractmethod
    def batches(self, epoch: int, start: int) -> Iterator[Batch]:
        """The batches of an epoch from number `start` on."""

    @abstractmethod
    def close(self) -> None:
        """End what works in the background; another pass starts it again."""

    def __iter__(self) -> Iterator[Batch]:
        """The batches of the next epoch, or of what is left of one that was loaded.

        Raises:
            UserError: What they come from fails.
        """
        # Nothing happens before the first batch is asked for: Lightning makes iterators that it never uses.
        if not self._between:
            self._epoch, self._given = self._epoch + 1, 0
        self._between = False
        self._before = self._given - (self.trained.batches if self.trained else 0)
        for batch in self.batches(self._epoch, self._given):
            self._given += 1
            yield batch
        self._epoch, self._given, self._between = self._epoch + 1, 0, True

    def __len__(self) -> int:
        """Batches of an epoch.

        Raises:
            TypeError: There is no end.
        """
        if self.order.batches is None:
            raise TypeError("an endless loader has no length")
        return self.order.batches

    def state_dict(self) -> State:
        """Where training is."""
        epoch, done = self._epoch, self._given
        if self.trained is not None and not self._between:
            done = self._before + self.trained.batches
            if done >= self.trained.limit:
                epoch, done = epoch + 1, 0
        return {"epoch": epoch, "batches": done, **self.marks}

    def load_state_dict(self, state: State) -> None:
        """Go on from there with the next pass.

        Raises:
            UserError: The batches were other ones then.
        """
        for name, now in self.marks.items():
            if (then := state.get(name)) != now:
                raise UserError(
                    f"the run that is to be resumed had other batches ({name} {then}, and now {now}): "
                    "give it the same data, seed, batch size and number of processes."
                )
        self._epoch, self._given, self._between = int(state["epoch"]), int(state["batches"]), True
        if self.order.batches is not None and self._given >= self.order.batches:
            self._epoch, self._given = self._epoch + 1, 0


class Source(Protocol):
    """What has rows: a `ClipDataset`, or what makes them up."""

    def __getitems__(self, rows: Rows) -> Batch:
        """A batch of rows."""
        ...


class RowLoader(Loader):
    """Batches of a source, read by worker processes if wanted.

    Args:
        source: Of the rows; is pickled into spawned workers and inherited by forked ones.
        order: Which rows make up a batch.
        num_workers: Processes that read ahead; 0 reads in this one.
        pin_memory: Whether batches are put where a GPU fetches them sooner.
        prefetch_factor: Batches that each worker reads ahead.
        persistent_workers: Whether workers stay between epochs.
        start_method: Of worker processes, ``"fork"``, ``"forkserver"`` or ``"spawn"``; None for the system's.
        marks: See `Loader`.
        trained: See `Loader`.
    """

    def __init__(
        self,
        source: Source,
        order: BatchOrder,
        *,
        num_workers: int = 0,
        pin_memory: bool = False,
        prefetch_factor: int = 2,
        persistent_workers: bool = True,
        start_method: str | None = None,
        marks: Mapping[str, str | int] | None = None,
        trained: Trained | None = None,
    ) -> None:
        super().__init__(order, marks, trained)
        self._feed = _Feed(order)
        self._settings: dict[str, Any] = {
            "dataset": _Careful(source),
            "batch_sampler": self._feed,
            "num_workers": num_workers,
            "collate_fn": _as_it_is,
            "pin_memory": pin_memory,
        }
        if num_workers:
            self._settings |= {
                "prefetch_factor": prefetch_factor,
                "persistent_workers": persistent_workers,
                "multiprocessing_context": start_method,
            }
        self._stays = bool(num_workers) and persistent_workers
        self._inner: DataLoader[Batch] | None = None
        self._running: Iterator[Any] | None = None

    def batches(self, epoch: int, start: int) -> Iterator[Batch]:
        """See `Loader.batches`."""
        if self._inner is None:
            # A generator of its own: the global one is the model's, and a resumed run would find it elsewhere.
            self._inner = DataLoader(**self._settings, generator=torch.Generator().manual_seed(0))
        if not self._stays:
            self._stop()
        self._feed.epoch, self._feed.start = epoch, start
        self._running = iter(self._inner)
        for batch in self._running:
            if isinstance(batch, _Refused):
                raise UserError(batch.reason)
            yield batch

    def close(self) -> None:
        """End the workers."""
        self._stop()
        self._inner = None

    def _stop(self) -> None:
        running, self._running = self._running, None
        # PyTorch would do it when the iterator is collected, which may be late, and then in another, forked process.
        if (shutdown := getattr(running, "_shutdown_workers", None)) is not None:
            shutdown()


class _Feed:
    """Rows of the batches to come, for PyTorch's loader."""

    def __init__(self, order: BatchOrder) -> None:
        self.order = order
        self.epoch, self.start = 0, 0

    def __iter__(self) -> Iterator[Any]:
        epoch, batch = self.epoch, self.start
        while self.order.batches is None or batch < self.order.batches:
            yield self.order.rows(epoch, batch)
            batch += 1


class _Refused:
    """A sentence for the user from a worker, which PyTorch would bring as part of a traceback."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


class _Careful(Dataset[Batch]):
    def __init__(self, source: Source) -> None:
        self._source = source

    def __getitems__(self, rows: Rows) -> Any:
        try:
            return self._source.__getitems__(rows)
        except UserError as error:
            return _Refused(str(error))


def _as_it_is(batch: Any) -> Any:
    return batch
