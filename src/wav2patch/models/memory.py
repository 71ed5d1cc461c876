"""Patches that can be asked for by a key: what a model without a generator chooses from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Distance = Literal["euclidean", "manhattan"]

_AT_ONCE = 16_384
"""Rows whose keys are float32 at one time."""


class Memory(nn.Module):
    """Vectors of patches with a key each.

    Keys are kept in half precision, and compared in the precision of what is asked.

    Args:
        width: Of a key.
        columns: Of a vector.
        distance: Of keys.

    Raises:
        ValueError: There is no such distance.
    """

    keys: Tensor
    vectors: Tensor

    def __init__(self, width: int, columns: int, distance: Distance = "euclidean") -> None:
        super().__init__()
        if distance not in get_args(Distance):
            raise ValueError(f"a distance is {' or '.join(get_args(Distance))}, not {distance!r}")
        self.distance: Distance = distance
        self.register_buffer("keys", torch.zeros(0, width, dtype=torch.float16))
        self.register_buffer("vectors", torch.zeros(0, columns))

    def __len__(self) -> int:
        return len(self.keys)

    def fill(self, keys: Tensor, vectors: Tensor) -> None:
        """Keep these keys ``(n, width)`` and vectors ``(n, columns)``, and forget those before."""
        self.keys, self.vectors = keys.half(), vectors.float()

    def nearest(self, asked: Tensor, n: int) -> Tensor:
        """The n vectors whose keys are nearest to each of ``(b, width)``, ``(b, n, columns)``.

        Nearest first, and from the start again where n exceeds the rows.

        Raises:
            ValueError: There is nothing in it yet.
        """
        if not len(self):
            raise ValueError("there is nothing to choose from yet")
        distances = torch.cat([self._distances(asked, keys.to(asked)) for keys in self.keys.split(_AT_ONCE)], dim=1)
        order = distances.topk(min(n, len(self)), dim=1, largest=False).indices
        return self.vectors[order[:, torch.arange(n, device=order.device) % order.shape[1]]]

    def tables(self) -> dict[str, NDArray[Any]]:
        """``keys``: float16 ``(rows, width)``; ``vectors``: float32 ``(rows, columns)``."""
        # Column by column, as few values follow each other: files are a third smaller and open in half the time.
        return {"keys": self.keys.cpu().numpy(), "vectors": np.asfortranarray(self.vectors.cpu().numpy())}

    def _distances(self, asked: Tensor, keys: Tensor) -> Tensor:
        """Distances ``(b, n)``; squared ones less the square of what is asked, which is the same for all keys."""
        if self.distance == "manhattan":
            return torch.cdist(asked, keys, p=1.0)
        return keys.square().sum(dim=1) - 2.0 * asked @ keys.T

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *args: Any, **kwargs: Any) -> None:
        for name in ("keys", "vectors"):
            if (stored := state_dict.get(prefix + name)) is not None:
                mine: Tensor = getattr(self, name)
                setattr(self, name, mine.new_zeros(len(stored), mine.shape[1]))
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
