from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from wav2patch.models.layout import Layout, space_layout
from wav2patch.models.noise import Noise
from wav2patch.models.regularizers import equivariance_error, mean_absolute, symmetric_orders
from wav2patch.synths.catalogue import load_synth
from wav2patch.synths.tensor.oscillators import KOsc

LAYOUT = space_layout(KOsc(4).space)


def noise(n: int, seed: int = 0) -> Noise:
    return Noise(seed, 0, torch.arange(n))


def points(n: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng([0, n]).uniform(-1, 1, (n, LAYOUT.width)))


def deep_set(x: Tensor) -> Tensor:
    """Commutes with exchanging oscillators: each one's fields, and the mean of all."""
    table = x.unflatten(1, (3, 4))
    mixed = torch.sin(table + table.roll(1, dims=1)) + table.mean(dim=2, keepdim=True) ** 2
    return mixed.flatten(start_dim=1)


def test_mean_absolute_is_the_mean_of_absolute_values() -> None:
    matrix = torch.tensor([[1.0, -2.0], [0.0, 5.0]], requires_grad=True)
    penalty = mean_absolute(matrix)
    penalty.backward()
    assert penalty.item() == 2.0
    assert matrix.grad is not None
    assert matrix.grad.tolist() == [[0.25, -0.25], [0.0, 0.25]]


def test_orders_exchange_whole_oscillators_and_all_of_them_occur() -> None:
    orders = symmetric_orders(LAYOUT, noise(4800))
    first = orders[:, :4]
    assert torch.equal(orders, torch.cat([first, first + 4, first + 8], dim=1))
    counts = Counter(map(tuple, first.tolist()))
    assert len(counts) == 24
    # 200 each would be even.
    assert min(counts.values()) > 60
    assert max(counts.values()) < 500


def test_linked_blocks_are_exchanged_together_only() -> None:
    """The modulators of an FM patch go with their carriers: 8 orders, not the 48 of free exchanges."""
    layout = space_layout(load_synth("fm_hierarchical").space)
    group, fresh = {tuple(range(layout.width))}, [tuple(range(layout.width))]
    while fresh:
        order = fresh.pop()
        reached = {tuple(order[i] for i in symmetry) for symmetry in layout.symmetries} - group
        group |= reached
        fresh += reached
    assert set(map(tuple, symmetric_orders(layout, noise(500)).tolist())) == group
    assert len(group) == 8


def test_orders_are_of_the_row_and_the_seed() -> None:
    orders = symmetric_orders(LAYOUT, noise(50))
    assert torch.equal(symmetric_orders(LAYOUT, Noise(0, 0, torch.arange(20, 50))), orders[20:])
    assert not torch.equal(symmetric_orders(LAYOUT, noise(50, seed=1)), orders)


def test_without_symmetries_columns_stay() -> None:
    plain = Layout(("a", "b"), ("continuous",) * 2, (0, 0))
    assert symmetric_orders(plain, noise(3)).tolist() == [[0, 1]] * 3


def test_a_field_that_commutes_has_no_error() -> None:
    error = equivariance_error(deep_set, points(64), symmetric_orders(LAYOUT, noise(64)))
    assert error.item() == pytest.approx(0.0, abs=1e-28)


@pytest.mark.parametrize("field", [lambda x: x.roll(1, dims=1), lambda x: x * torch.arange(12), lambda x: x.sort()[0]])
def test_a_field_that_does_not_commute_has_one(field: Callable[[Tensor], Tensor]) -> None:
    assert equivariance_error(field, points(64), symmetric_orders(LAYOUT, noise(64))).item() > 0.05


def test_a_worked_error() -> None:
    # f doubles the first column: f(Px) = (2b, a), P f(x) = (b, 2a), squared differences b² and a².
    weights = torch.tensor([2.0, 1.0])
    error = equivariance_error(lambda x: x * weights, torch.tensor([[3.0, 1.0]]), torch.tensor([[1, 0]]))
    assert error.item() == 5.0


def test_orders_permute_as_those_of_a_layout() -> None:
    # x[order[i]] at i: after (1, 2, 0) the vector (a, b, c) is (b, c, a).
    seen: list[Tensor] = []
    x = torch.tensor([[1.0, 2.0, 3.0]])
    equivariance_error(lambda given: seen.append(given) or given, x, torch.tensor([[1, 2, 0]]))
    assert seen[0].tolist() == [[2.0, 3.0, 1.0]]


def test_the_error_has_a_gradient_in_the_weights() -> None:
    weights = torch.linspace(0, 1, 12, dtype=torch.float64, requires_grad=True)
    equivariance_error(lambda x: x * weights, points(8), symmetric_orders(LAYOUT, noise(8))).backward()
    assert weights.grad is not None
    assert weights.grad.isfinite().all()
    assert weights.grad.abs().max() > 0
