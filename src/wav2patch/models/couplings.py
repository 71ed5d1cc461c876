"""Which noise of a batch goes with which of its examples.

Pairing them at little cost makes the paths of a flow cross less: minibatch optimal transport, Pooladian et al. (ICML
2023) and Tong et al. (TMLR 2024). Only noise moves, so that each example stays with what else belongs to it. Nothing is
drawn here: the same batch is always paired alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor


class Coupling(Protocol):
    """Reorders noise ``(n, D)`` to go with examples ``(n, D)``."""

    def __call__(self, start: Tensor, end: Tensor) -> Tensor:
        """The rows of `start`, each once: row i goes with row i of `end`."""
        ...


@dataclass(frozen=True)
class IndependentCoupling:
    """Noise as it was drawn."""

    def __call__(self, start: Tensor, end: Tensor) -> Tensor:
        """See `Coupling`."""
        return start


@dataclass(frozen=True)
class HungarianCoupling:
    """The pairing with the least summed squared distance, as in Hayes et al. (ISMIR 2025).

    Solved on the CPU, from whatever device the batch is on, in O(n³) at worst.
    """

    @torch.no_grad()
    def __call__(self, start: Tensor, end: Tensor) -> Tensor:
        """See `Coupling`.

        Raises:
            ValueError: A number is not finite.
        """
        # What is taken from whole rows and columns changes no optimum, and with noise as rows makes SciPy's solver four
        # times as fast: examples with their least costs at zero are rarely in each other's way. It is then level with
        # lap's, and releases the GIL, which lap's holds: a training thread goes on meanwhile (benchmarks/couplings.py).
        costs = squared_distances(start, end)
        costs -= costs.amin(dim=1, keepdim=True)
        costs -= costs.amin(dim=0, keepdim=True)
        _, partners = linear_sum_assignment(costs.cpu().numpy())
        return start[torch.from_numpy(partners.argsort()).to(start.device)]


@dataclass(frozen=True)
class SinkhornCoupling:
    """A pairing near the least summed squared distance, found on the batch's own device.

    Entropic transport (Cuturi, NeurIPS 2013) in the log domain, rounded to a permutation by `rounded`. Rows are not
    drawn from the plan: draws would use some noise twice and some never, so that a batch's noise would not be normal
    any more; and chance adds nothing, since the noise itself is new in every batch.

    Attributes:
        epsilon: Weight of the entropy, relative to the mean cost; smaller is nearer the optimum but takes more
            iterations. The defaults save 94 to 99% of what the optimum saves.
        iterations: Of scaling rows and columns.

    Raises:
        ValueError: A setting is not positive.
    """

    epsilon: float = 0.02
    iterations: int = 20

    def __post_init__(self) -> None:
        if self.epsilon <= 0.0 or self.iterations < 1:
            raise ValueError("epsilon and iterations are more than 0")

    @torch.no_grad()
    def __call__(self, start: Tensor, end: Tensor) -> Tensor:
        """See `Coupling`.

        Raises:
            ValueError: A number is not finite.
        """
        costs = squared_distances(end, start)
        return start[rounded(log_plan(costs / costs.mean().clamp(min=1e-30), self.epsilon, self.iterations))]


COUPLINGS: Mapping[str, Callable[..., Coupling]] = {
    "independent": IndependentCoupling,
    "hungarian": HungarianCoupling,
    "sinkhorn": SinkhornCoupling,
}
"""Couplings by the names that settings use."""


def squared_distances(rows: Tensor, columns: Tensor) -> Tensor:
    """|rows_i − columns_j|², ``(n, m)``, of points ``(n, D)`` and ``(m, D)``.

    Raises:
        ValueError: A number is not finite.
    """
    # A training step in bfloat16 would round the product to three digits, and NumPy has no such type.
    with torch.autocast(rows.device.type, enabled=False):
        rows, columns = (one.detach().to(torch.promote_types(one.dtype, torch.float32)) for one in (rows, columns))
        lengths = rows.square().sum(dim=1)[:, None] + columns.square().sum(dim=1)
        costs = torch.addmm(lengths, rows, columns.T, alpha=-2.0).clamp(min=0.0)
    if not costs.sum().isfinite():
        raise ValueError("noise and examples have to be finite numbers to be paired")
    return costs


def log_plan(costs: Tensor, epsilon: float, iterations: int) -> Tensor:
    """Logarithm of the entropic transport plan between n and n points of equal weight, but for a constant.

    The plan is exp((f_i + g_j − c_ij)/ε), with f and g set in turn so that rows and columns sum to one.

    Args:
        costs: ``(n, n)``.
        epsilon: Weight of the entropy.
        iterations: Of setting both.

    Returns:
        ``(n, n)``.
    """
    kernel = costs / -epsilon
    row, column = torch.zeros_like(kernel[:, :1]), torch.zeros_like(kernel[:1])
    for _ in range(iterations):
        row = -torch.logsumexp(kernel + column, dim=1, keepdim=True)
        column = -torch.logsumexp(kernel + row, dim=0, keepdim=True)
    return kernel + row + column


def rounded(plan: Tensor) -> Tensor:
    """A permutation near a plan: the largest entry first, then the largest in the rows and columns that are left.

    All pairs that prefer each other are taken at once, which gives the same permutation as one at a time in a few
    rounds; each takes one at least, of equal entries the first.

    Args:
        plan: ``(n, n)``, or its logarithm, without NaN.

    Returns:
        The column of each row, int64 ``(n,)``.
    """
    rows = torch.arange(len(plan), device=plan.device)
    columns, order = rows.clone(), torch.empty_like(rows)
    while len(rows):
        liked = plan.argmax(dim=1)
        mutual = plan.argmax(dim=0)[liked] == torch.arange(len(rows), device=plan.device)
        order[rows[mutual]] = columns[liked[mutual]]
        left = torch.ones_like(mutual)
        left[liked[mutual]] = False
        plan, rows, columns = plan[~mutual][:, left], rows[~mutual], columns[left]
    return order
