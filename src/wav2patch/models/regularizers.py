"""Penalties that steer a vector field; `FlowMatching` weighs them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from wav2patch.models.blocks import interchangeable
from wav2patch.models.layout import Layout
from wav2patch.models.noise import Noise


def mean_absolute(matrix: Tensor) -> Tensor:
    """Mean |A_ij|, a scalar: drives the entries of an assignment to zero (the L1 penalty of Hayes et al., ISMIR 2025).

    Its gradient at 0 is 0.
    """
    return matrix.abs().mean()


def symmetric_orders(layout: Layout, noise: Noise) -> Tensor:
    """One order of the columns for each row, int64 ``(n, D)``, drawn evenly from those that exchange blocks.

    As with `Layout.symmetries`, the permuted vector has ``x[order[i]]`` at i. Without blocks columns stay where they
    are.
    """
    orders = torch.arange(layout.width, device=noise.rows.device).repeat(len(noise.rows), 1)
    for number, blocks in enumerate(interchangeable(layout)):
        table = torch.tensor(blocks, device=orders.device)
        drawn = noise.uniform(f"symmetry {number}", len(blocks)).argsort(dim=1)
        orders[:, table.flatten()] = table[drawn].flatten(start_dim=1)
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
