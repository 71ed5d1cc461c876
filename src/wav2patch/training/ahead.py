"""Batches that are prepared in the background while the one before is trained on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from torch import Tensor

from wav2patch.training.clips import Batch
from wav2patch.training.loader import Loader
from wav2patch.training.pump import Pump

Prepare = Callable[[Batch, int], Batch]
"""Adds to a batch of the given epoch what can be computed without a model's weights.

It is called in threads of its own, for several batches at once, and what it adds follows from the batch and the epoch
alone, or a resumed run would not be the same.
"""

_NAME = "prepared batches"

# What a batch's preparation may still take when nobody wants it any more.
_PATIENCE = 10.0


class AheadLoader(Loader):
    """The batches of a loader, prepared.

    Where training is counts as for any loader: what was prepared and not trained on is prepared again after a resume.

    Args:
        inner: Whose batches are prepared; closed with this one.
        prepare: What is done to them.
        ahead: Batches that are kept ready.
        threads: Batches that are prepared side by side. It helps where `prepare` releases Python's lock, as SciPy's
            assignment does, and takes longer than a step.
    """

    def __init__(self, inner: Loader, prepare: Prepare, ahead: int = 2, threads: int = 1) -> None:
        super().__init__(inner.order, inner.marks)
        self._inner, self._prepare, self._ready, self._threads = inner, prepare, ahead, threads
        self._pump: Pump | None = None

    def batches(self, epoch: int, start: int) -> Iterator[Batch]:
        """See `Loader.batches`."""
        prepared = self._prepared(epoch, start)
        # The first one here, as processes that read are better started from the main thread.
        first = next(prepared, None)
        if first is None:
            return
        self._stop()
        self._pump = pump = Pump(lambda: prepared, self._ready, _NAME)
        try:
            yield first
            number = start + 1
            while self.order.batches is None or number < self.order.batches:
                yield pump.take()
                number += 1
        finally:
            pump.stop(_PATIENCE)

    def close(self) -> None:
        """Prepare no more, and end what works for the inner loader."""
        self._stop()
        self._inner.close()

    def _prepared(self, epoch: int, start: int) -> Iterator[Batch]:
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix=_NAME)
        under_way: deque[Future[Batch]] = deque()
        try:
            for one in self._begun(pool, epoch, start):
                under_way.append(one)
                if len(under_way) >= self._threads:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _begun(self, pool: ThreadPoolExecutor, epoch: int, start: int) -> Iterator[Future[Batch]]:
        try:
            for batch in self._inner.batches(epoch, start):
                yield pool.submit(self._ready_batch, batch, epoch)
        except Exception as error:
            # It has its turn after the batches before it.
            failed: Future[Batch] = Future()
            failed.set_exception(error)
            yield failed

    def _ready_batch(self, batch: Batch, epoch: int) -> Batch:
        ready = self._prepare(batch, epoch)
        # A GPU fetches what is pinned while it computes; what was added is as the rest of the batch.
        return {name: _pin(value) for name, value in ready.items()} if batch["index"].is_pinned() else ready

    def _stop(self) -> None:
        pump, self._pump = self._pump, None
        if pump is not None:
            pump.stop(_PATIENCE)


def _pin(value: Any) -> Any:
    return value.pin_memory() if isinstance(value, Tensor) else value
