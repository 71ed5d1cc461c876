"""Penalties that steer a vector field; `FlowMatching` weighs them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from wav2patch.models.layout import Layout
from wav2patch.models.noise import Noise

_ROUNDS = 3
"""Times that each symmetry is applied or not; neighbours' exchanges then reach all orders of four blocks."""


def mean_absolute(matrix: Tensor) -> Tensor:
    """Mean |A_ij|, a scalar: drives the entries of an assignment to zero (the L1 penalty of Hayes et al., ISMIR 2025).

    Its gradient at 0 is 0.
    """
    return matrix.abs().mean()


def symmetric_orders(layout: Layout, noise: Noise) -> Tensor:
    """One order of the columns for each row, int64 ``(n, D)``: a product of the layout's symmetries, drawn by chance.

    As with `Layout.symmetries`, the permuted vector has ``x[order[i]]`` at i. Without symmetries columns stay where
    they are. Blocks are not shuffled freely: exchanging the modulators of an FM patch without their carriers is none.
    """
    orders = torch.arange(layout.width, device=noise.rows.device).repeat(len(noise.rows), 1)
    if not layout.symmetries:
        return orders
    taken = noise.uniform("symmetry", _ROUNDS * len(layout.symmetries)) < 0.5
    for number, symmetry in enumerate(layout.symmetries * _ROUNDS):
        moved = orders[:, torch.tensor(symmetry, device=orders.device)]
        orders = torch.where(taken[:, number, None], moved, orders)
    return orders


def equivariance_error(field: Callable[[Tensor], Tensor], points: Tensor, orders: Tensor) -> Tensor:
    """How far a field is from commuting with permutations: mean (f(Px) − P f(x))², a scalar.

    Args:
        field: From points ``(n, D)`` to ``(n, D)``, at whatever times and conditions the rows have.
        points: x, ``(n, D)``.
        orders: P of each row, int64 ``(n, D)``; see `symmetric_orders`.
    """
    moved = field(points.gather(1, orders))
    return (moved - field(points).gather(1, orders)).square().mean()
