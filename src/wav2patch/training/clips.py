"""The rows of a view as a PyTorch data set.

A batch is a dictionary of tensors, the fields of a shard by their names:

    parameters     float32 ``(n, D)``: encodings of patches, in [0, 1]
    notes          float32 ``(n, 4)``: pitch, velocity, onset and duration (seconds)
    index          int64 ``(n,)``: numbers of the rows in the data set, whatever the view
    audio          float16 ``(n, channels, samples)``
    features/NAME  float16 ``(n, …)``
    loudness, attempt  float32 and int32 ``(n,)``

Half precision stays until a batch is on its device, as it halves what travels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from wav2patch.datasets.views.view import View
from wav2patch.errors import UserError

Batch = dict[str, Tensor]

ALWAYS = ("parameters", "notes", "index")
"""Fields that every batch has."""


class ClipDataset(Dataset[Batch]):
    """The rows of a view.

    It pickles, and each process opens files for itself, so loader workers may be forked or spawned. Whole batches are
    read by `__getitems__`, each field straight into one array; a PyTorch loader takes them as they are with
    ``DataLoader(clips, …, collate_fn=clips.collate)``.

    Fields of all rows may be read once and held in memory, the smallest first, as many as fit: read in order, a row of
    them takes a tenth of the time that it takes out of order. A process that was spawned holds its own; forked ones
    share what was held before.

    Args:
        view: The rows.
        fields: What else a batch has beside `ALWAYS`: ``"audio"``, ``"features/log_mel"``, ….
        held: Bytes that fields held in memory may take.

    Raises:
        UserError: The view has no such field.
    """

    def __init__(self, view: View, fields: Sequence[str] = (), held: int = 0) -> None:
        self.view, self.budget = view, held
        self._held: dict[str, NDArray[Any]] | None = None
        self.fields = tuple(dict.fromkeys((*ALWAYS, *fields)))
        if missing := [name for name in self.fields if name not in view.fields]:
            raise UserError(
                f"{view.address} has no {missing[0]}: choose from {', '.join(sorted(view.fields))}, "
                "or make the data set with it."
            )

    def __len__(self) -> int:
        return len(self.view)

    def __getitem__(self, row: int) -> Batch:
        """One row, as a batch without its first dimension."""
        return {name: values[0] for name, values in self.__getitems__([row]).items()}

    def __getitems__(self, rows: Sequence[int] | NDArray[np.integer[Any]]) -> Batch:
        """A batch of rows in the given order.

        Raises:
            UserError: A shard is missing or damaged.
            IndexError: There is no such row.
        """
        held, numbers = self.hold(), np.asarray(rows, dtype=np.int64)
        values = {name: whole[numbers] for name, whole in held.items()}
        if rest := [name for name in self.fields if name not in held]:
            values |= self.view.read_fields(rest, rows)
        return {name: as_tensor(name, values[name]) for name in self.fields}

    def hold(self) -> dict[str, NDArray[Any]]:
        """The fields that are held, by name; reads them where that has not been done.

        Raises:
            UserError: A shard is missing or damaged.
        """
        if self._held is None:
            self._held = {name: self.view.read(name, slice(None)) for name in self._small()}
        return self._held

    def _small(self) -> list[str]:
        """Names of the fields that fit together, the smallest first."""
        kinds = {name: self.view.fields[name] for name in self.fields}
        sizes = {name: len(self) * math.prod(one.shape) * np.dtype(one.dtype).itemsize for name, one in kinds.items()}
        names = sorted(sizes, key=sizes.__getitem__)
        taken = accumulate(sizes[name] for name in names)
        return [name for name, so_far in zip(names, taken, strict=True) if so_far <= self.budget]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_held": None}

    @staticmethod
    def collate(batch: Batch) -> Batch:
        """The batch itself: `__getitems__` has put it together already."""
        return batch


def as_tensor(field: str, values: NDArray[Any]) -> Tensor:
    """A field of a batch; notes become float32, which every device has."""
    return torch.from_numpy(values.astype(np.float32) if field == "notes" else values)
