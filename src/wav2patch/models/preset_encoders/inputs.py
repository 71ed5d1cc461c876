"""How a patch enters a network that takes one vector: as it is encoded, or with one number for each parameter."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wav2patch.models.layout import Layout


def unit(vectors: Tensor) -> Tensor:
    """Vectors of [−1, 1] as numbers of [0, 1], which one-hots have too."""
    return (vectors + 1.0) / 2.0


class OneHots(nn.Module):
    """One number for each column: all of a one-hot.

    Attributes:
        width: Numbers that come out.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.width = layout.width

    def forward(self, vectors: Tensor) -> Tensor:
        """``(n, D)`` in [0, 1] of vectors ``(n, D)`` in [−1, 1]."""
        return unit(vectors)


class Scalars(nn.Module):
    """One number for each parameter: of a choice its place among all, from 0 to 1, as if they had an order.

    A soft one-hot comes out as its mean place.

    Attributes:
        width: Numbers that come out.
    """

    places: Tensor

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.width = len(layout)
        places = torch.zeros(layout.width, len(layout))
        for i, span in enumerate(layout.columns):
            places[span, i] = torch.linspace(0.0, 1.0, layout.widths[i]) if layout.kinds[i] == "categorical" else 1.0
        self.register_buffer("places", places, persistent=False)

    def forward(self, vectors: Tensor) -> Tensor:
        """``(n, parameters)`` in [0, 1] of vectors ``(n, D)`` in [−1, 1]."""
        return unit(vectors) @ self.places
