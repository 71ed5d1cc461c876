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

from collections.abc import Sequence
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

    Args:
        view: The rows.
        fields: What else a batch has beside `ALWAYS`: ``"audio"``, ``"features/log_mel"``, ….

    Raises:
        UserError: The view has no such field.
    """

    def __init__(self, view: View, fields: Sequence[str] = ()) -> None:
        self.view = view
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
        return {name: as_tensor(name, values) for name, values in self.view.read_fields(self.fields, rows).items()}

    @staticmethod
    def collate(batch: Batch) -> Batch:
        """The batch itself: `__getitems__` has put it together already."""
        return batch


def as_tensor(field: str, values: NDArray[Any]) -> Tensor:
    """A field of a batch; notes become float32, which every device has."""
    return torch.from_numpy(values.astype(np.float32) if field == "notes" else values)
