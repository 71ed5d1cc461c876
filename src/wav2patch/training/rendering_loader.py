"""Batches that are rendered in the background while the one before is trained on, and stored nowhere."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wav2patch.datasets.recipes.plan import Plan
from wav2patch.datasets.shards.layout import Row
from wav2patch.datasets.shards.listen import Listen
from wav2patch.datasets.shards.rows import stream
from wav2patch.rendering.base import Renderer
from wav2patch.training.clips import Batch, as_tensor
from wav2patch.training.loader import Loader, Trained
from wav2patch.training.pump import Pump
from wav2patch.training.sampler import EndlessOrder


def gather(rows: list[Row]) -> Batch:
    """A batch of rows whose clips are arrays; see `clips` for its fields."""
    columns: dict[str, NDArray[Any]] = {
        "parameters": np.stack([row.parameters for row in rows]),
        "notes": np.array([row.note for row in rows], dtype=np.float64),
        "index": np.array([row.index for row in rows], dtype=np.int64),
    }
    columns |= {name: np.stack([row.clips[name] for row in rows]) for name in rows[0].clips}
    return {name: as_tensor(name, column) for name, column in columns.items()}


def render_batches(
    plan: Plan, numbers: Iterator[NDArray[np.int64]], renderer: Renderer, listen: Listen
) -> Iterator[Batch]:
    """Rendered batches of the rows whose numbers come batch by batch.

    Raises:
        UserError: So many draws of one row were rejected that nothing will come of it.
    """
    ahead, sizes = itertools.tee(numbers)
    indices = (int(index) for batch in ahead for index in batch)
    with contextlib.closing(stream(plan, indices, renderer, listen)) as rows:
        for batch in sizes:
            yield gather(list(itertools.islice(rows, len(batch))))


class RenderLoader(Loader):
    """Batches of the endless list that a plan's seed stands for: the rows that a data set with its recipe would have.

    Args:
        plan: What is rendered.
        renderer: Of the plan's synth; a closed one ends what is under way.
        listen: What becomes of a render; its clips are arrays.
        order: Which rows make up a batch.
        ahead: Batches that are kept ready.
        pin_memory: Whether batches are put where a GPU fetches them sooner.
        marks: See `Loader`.
        trained: See `Loader`.
    """

    def __init__(
        self,
        plan: Plan,
        renderer: Renderer,
        listen: Listen,
        order: EndlessOrder,
        *,
        ahead: int = 2,
        pin_memory: bool = False,
        marks: Mapping[str, str | int] | None = None,
        trained: Trained | None = None,
    ) -> None:
        super().__init__(order, marks, trained)
        self._per_epoch, self._ahead_of_time, self._pin = order.batches, ahead, pin_memory
        self._render = lambda first: render_batches(
            plan, (order.rows(0, number) for number in itertools.count(first)), renderer, listen
        )
        self._pump: Pump | None = None
        self._next = 0

    def batches(self, epoch: int, start: int) -> Iterator[Batch]:
        """See `Loader.batches`."""
        first = epoch * (self._per_epoch or 0) + start
        if self._pump is None or self._next != first:
            self.close()
            self._pump = Pump(lambda: self._render(first), self._ahead_of_time)
        ended = None if self._per_epoch is None else (epoch + 1) * self._per_epoch
        for number in itertools.count(first) if ended is None else range(first, ended):
            batch = self._pump.take()
            self._next = number + 1
            yield {name: value.pin_memory() for name, value in batch.items()} if self._pin else batch

    def close(self) -> None:
        """Render no more; what workers are at ends unheard."""
        pump, self._pump = self._pump, None
        if pump is not None:
            pump.stop()
