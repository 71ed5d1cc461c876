"""Distances of predicted and wanted parameters, row by row, with and without heed to the order of like blocks.

A block is what symmetries move as one, such as an oscillator (`wav2patch.models.blocks`). Each loss is a module that is
made of a layout and called with ``(predicted (n, D), wanted (n, D), weights)``, and gives ``(n,)``. All are means over
columns, on the scale of the mean squared error; columns in no block count plainly. Without weights, chamfer ≤
assignment ≤ sorted, and assignment ≤ mse.

Weights ``(n, D)`` or ``(D,)`` belong to the wanted columns and move with them. The mean is then Σ w e / max(Σ w, 1): a
row of which little can be heard counts as much as others, one of which nothing can be heard counts nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from itertools import permutations

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from wav2patch.models.blocks import interchangeable
from wav2patch.models.layout import Layout

_FEW = 4
"""Blocks of which all orders are tried at once, on the device: 24 of them."""


class MeanSquared(nn.Module):
    """Mean squared error, whatever the order of blocks."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()

    def forward(self, predicted: Tensor, wanted: Tensor, weights: Tensor | None = None) -> Tensor:
        """Losses ``(n,)``."""
        weights = _full(weights, wanted)
        return _mean((weights * (predicted - wanted).square()).sum(dim=1), weights)


class _BlockLoss(nn.Module, ABC):
    """A loss over groups of interchangeable blocks.

    Raises:
        ValueError: The layout has no interchangeable blocks. It would be the mean squared error under another name,
            and a comparison of the two would compare nothing.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        groups = interchangeable(layout)
        if not groups:
            raise ValueError("these parameters have no symmetry, so that there are no blocks to exchange: take mse")
        self._groups = [f"_blocks_{number}" for number in range(len(groups))]
        for name, blocks in zip(self._groups, groups, strict=True):
            self.register_buffer(name, torch.tensor(blocks), persistent=False)
        moved = {column for blocks in groups for block in blocks for column in block}
        others = [column for column in range(layout.width) if column not in moved]
        self.register_buffer("_others", torch.tensor(others, dtype=torch.long), persistent=False)

    _others: Tensor

    def forward(self, predicted: Tensor, wanted: Tensor, weights: Tensor | None = None) -> Tensor:
        """Losses ``(n,)``."""
        weights = _full(weights, wanted)
        error = (weights * (predicted - wanted).square())[:, self._others].sum(dim=1)
        for name in self._groups:
            blocks = self.get_buffer(name)
            error = error + self._error(predicted[:, blocks], wanted[:, blocks], weights[:, blocks])
        return _mean(error, weights)

    @abstractmethod
    def _error(self, predicted: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
        """Summed error ``(n,)`` of k blocks of c columns, all ``(n, k, c)``."""


class Chamfer(_BlockLoss):
    """Each block's squared distance to the nearest on the other side; half the sum of both directions.

    With blocks p_i predicted and q_j wanted: (Σ_i min_j |p_i − q_j|² + Σ_j min_i |p_i − q_j|²) / 2. The Chamfer loss of
    Hayes et al. (ISMIR 2025), as a mean over columns instead of a sum. Neighbours are chosen without weights, as
    otherwise a wanted block that cannot be heard would be near to everything.
    """

    def _error(self, predicted: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
        costs = _pairs(predicted, wanted, torch.ones_like(weights))
        there, back = costs.argmin(dim=2), costs.argmin(dim=1)
        first = _at(weights, there) * (predicted - _at(wanted, there)).square()
        second = weights * (_at(predicted, back) - wanted).square()
        return (first + second).sum(dim=(1, 2)) / 2


class Sorted(_BlockLoss):
    """Squared error to the wanted blocks in the order of their first columns, such as oscillators by frequency.

    "Sort" of Hayes et al. (ISMIR 2025): the network is to say the oscillators from the lowest to the highest. What it
    says is not sorted, so that this knows a canonical order and nothing of the symmetry. Wanted values jump where two
    frequencies cross.
    """

    def _error(self, predicted: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
        order = _first_order(wanted)
        return (_at(weights, order) * (predicted - _at(wanted, order)).square()).sum(dim=(1, 2))


class Assignment(_BlockLoss):
    """Squared error under the best order of the blocks: min over permutations π of Σ_i |p_i − q_π(i)|².

    Up to four blocks all orders are compared on the device, more are assigned on the CPU, row by row.
    """

    def _error(self, predicted: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
        costs = _pairs(predicted, wanted, weights)
        best = _best_of_all(costs) if costs.shape[1] <= _FEW else _assigned(costs)
        return (_at(weights, best) * (predicted - _at(wanted, best)).square()).sum(dim=(1, 2))


LOSSES: Mapping[str, type[nn.Module]] = {
    "mse": MeanSquared,
    "chamfer": Chamfer,
    "sorted": Sorted,
    "assignment": Assignment,
}
"""Losses by the names that settings use; each is made of a layout."""


def _full(weights: Tensor | None, wanted: Tensor) -> Tensor:
    return torch.ones_like(wanted) if weights is None else weights.to(wanted).expand_as(wanted)


def _mean(error: Tensor, weights: Tensor) -> Tensor:
    return error / weights.sum(dim=1).clamp(min=1.0)


@torch.no_grad()
def _pairs(predicted: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
    """Weighted squared distance ``(n, k, k)`` of predicted block i and wanted block j, of ``(n, k, c)``.

    Only to choose pairs by: Σ w (p − q)² is multiplied out, which rounds.
    """
    with torch.autocast(predicted.device.type, enabled=False):
        predicted = predicted.to(wanted)
        squares = predicted.square() @ weights.mT + (weights * wanted.square()).sum(dim=2)[:, None]
        return squares - 2.0 * (predicted @ (weights * wanted).mT)


def _at(blocks: Tensor, chosen: Tensor) -> Tensor:
    """Of blocks ``(n, k, c)`` those with the numbers ``(n, k)``."""
    return blocks.gather(1, chosen[:, :, None].expand_as(blocks))


def _first_order(blocks: Tensor) -> Tensor:
    """The order ``(n, k)`` of blocks ``(n, k, c)`` by their first columns."""
    return blocks[:, :, 0].argsort(dim=1, stable=True)


def _best_of_all(costs: Tensor) -> Tensor:
    """The wanted block of each predicted one, ``(n, k)``, by trying all k! orders."""
    k = costs.shape[1]
    orders = torch.tensor(list(permutations(range(k))), device=costs.device)
    totals = costs[:, torch.arange(k, device=costs.device), orders].sum(dim=2)
    return orders[totals.argmin(dim=1)]


def _assigned(costs: Tensor) -> Tensor:
    """The wanted block of each predicted one, ``(n, k)``, by the Hungarian method."""
    # A diverged network has to reach the check for NaN losses; the solver takes finite numbers only.
    finite = np.nan_to_num(costs.cpu().double().numpy())
    best = np.stack([linear_sum_assignment(one)[1] for one in finite])
    return torch.from_numpy(best).to(costs.device)
